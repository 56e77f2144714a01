"""The command line of a headless run, with an engine that is played: exit codes, what is printed and where."""

import io
import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from engine.config import BacktestConfig
from engine.errors import CatalogError, LookAheadError, StrategyError
from engine.run_folders import new_folder
from engine.statistics import Statistics, describe_figures
from research.headless import main
from research.headless.services import ProgressListener, Services
from research.headless.surroundings import Surroundings

CONFIG = """\
seed: 3
assets:
  - {symbol: ES, file: es.csv}
  - {symbol: NQ, file: nq.csv}
bot: {name: TrendFollowing, settings: {ema_span: 50, risk_pct: 0.02}}
"""


def statistics(**figures: Any) -> Statistics:
    zero = {name: 0 for name, *_ in describe_figures(Statistics)}
    return Statistics(**(zero | {"sharpe": None, "net_profit": 1234.5} | figures))


@dataclass
class PlayedResult:
    statistics: Statistics = field(default_factory=statistics)
    symbol_statistics: Mapping[str, Statistics] = field(
        default_factory=lambda: {"ES": statistics(net_profit=1000.0), "NQ": statistics(net_profit=234.5)}
    )
    status: str = "completed"
    drive: str = "compiled"
    bars: int = 1000
    seconds: float = 0.5
    ambiguous_trades: int = 7
    warnings: tuple[str, ...] = ("ES: commission is 0, since none is given",)
    interrupted: bool = False
    error: Exception | None = None
    bounds: dict[str, Any] = field(default_factory=dict)
    saved: list[Path] = field(default_factory=list)

    def save(self, folder: Path) -> None:
        folder.mkdir(parents=True)
        self.saved.append(folder)


@dataclass(frozen=True)
class PlayedProgress:
    bar: int
    bars: int
    equity: float


@dataclass
class PlayedReport:
    def summary(self) -> str:
        return "no look-ahead in 50 probes"


@dataclass
class Stage:
    """A played engine, the streams of the command, and what it was asked."""

    folder: Path
    result: PlayedResult = field(default_factory=PlayedResult)
    out: io.StringIO = field(default_factory=io.StringIO)
    error: io.StringIO = field(default_factory=io.StringIO)
    configs: list[BacktestConfig] = field(default_factory=list)
    drives: list[str] = field(default_factory=list)
    fail: BaseException | None = None
    fail_bounds: BaseException | None = None
    early: dict[str, PlayedResult] = field(default_factory=dict)
    lookahead: LookAheadError | None = None
    says: str = ""

    def run(self, config: BacktestConfig, bot: object, drive: str, listener: ProgressListener | None) -> PlayedResult:
        self.configs.append(config)
        self.drives.append(drive)
        print(self.says, end="\n" if self.says else "")
        if self.fail is not None:
            raise self.fail
        if listener is not None:
            for bar in (500, 1000):
                listener(PlayedProgress(bar, 1000, 100_000.0 + bar))
        return self.result

    def bounds(self, config: BacktestConfig, make: Callable[[], Any], drive: str) -> Mapping[str, PlayedResult]:
        make()
        if self.fail_bounds is not None:
            raise self.fail_bounds
        profits = {"worst_case": -500.0, "best_case": 2500.0, "next_open": 1000.0}
        whole = {name: replace(self.result, statistics=statistics(net_profit=p)) for name, p in profits.items()}
        return whole | self.early

    def check(self, config: BacktestConfig, make: Callable[[], Any]) -> PlayedReport:
        self.configs.append(config)
        if self.lookahead is not None:
            raise self.lookahead
        return PlayedReport()

    def known(self, config: BacktestConfig, part: str) -> frozenset[str]:
        name = getattr(config, part).name
        if name not in {"CoinFlip", "MyBot", "FixedRatio"}:
            raise CatalogError(f'there is no {part} "{name}"; known are CoinFlip, MyBot')
        return frozenset({"risk_pct", "p_buy"})

    def __call__(self, *arguments: str) -> int:
        services = Services(
            make_bot=lambda config: object(),
            run=self.run,
            bounds=self.bounds,
            check_lookahead=self.check,
            known_settings=self.known,
            listing=lambda: "bots\n  CoinFlip",
        )
        seconds = iter([10.0, 12.0])
        around = Surroundings(
            out=self.out,
            error=self.error,
            seconds=lambda: next(seconds),
            now=lambda: datetime(2024, 3, 8, 14, 30, tzinfo=UTC),
        )
        return main(arguments, around, lambda: services)

    @property
    def command(self) -> tuple[str, ...]:
        return ("--config", str(self.folder / "x.yaml"), "--out", str(self.folder / "runs"))


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    (tmp_path / "x.yaml").write_text(CONFIG, encoding="utf-8")
    return Stage(tmp_path)


def test_a_run_prints_a_table_shows_progress_and_saves(stage: Stage) -> None:
    code = stage(*stage.command)

    out, error = stage.out.getvalue(), stage.error.getvalue()
    assert code == 0
    assert "x: TrendFollowing with TrailingATR on ES, NQ" in out
    assert "1,000 bars, worst_case, compiled drive, seed 3, 2.00 s (2,000 bars/s), status completed" in out
    assert "portfolio" in out
    assert "1,234.50" in out
    assert "Ambiguous trades: 7" in out
    assert "Warning: ES: commission is 0, since none is given" in out
    assert stage.result.saved == [stage.folder / "runs/x_2024-03-08_143000"]
    assert f"Saved in {stage.result.saved[0]}" in out
    assert "1.00k/1.00k" in error
    assert "equity 101,000" in error


def test_options_stand_for_keys_and_set_goes_before_them(stage: Stage) -> None:
    code = stage(
        *stage.command, "--seed", "9", "--start", "2024-01-02", "--end", "2024-01-31", "--path", "best_case",
        "--no-report", "--drive", "step", "--set", "bot.ema_span=34", "--set", "seed=11", "--set",
        "assets.NQ.slippage_ticks=2",
    )  # fmt: skip

    config = stage.configs[0]
    assert code == 0
    assert (config.seed, config.simulation.path, config.output.report) == (11, "best_case", False)
    assert (str(config.start), str(config.end)) == ("2024-01-02", "2024-01-31")
    assert config.bot.settings["ema_span"] == 34
    assert config.asset("NQ").slippage_ticks == 2
    assert stage.drives == ["step"]


def test_json_is_one_object_on_stdout_and_nothing_else(stage: Stage) -> None:
    code = stage(*stage.command, "--json", "--bounds")

    lines = stage.out.getvalue().splitlines()
    told = json.loads(lines[0])
    assert code == 0
    assert len(lines) == 1
    assert told["statistics"]["net_profit"] == 1234.5
    assert told["statistics"]["sharpe"] is None
    assert told["per_symbol"]["NQ"]["net_profit"] == 234.5
    assert told["bounds"]["best_case"]["statistics"]["net_profit"] == 2500.0
    assert (told["config"]["seed"], told["config_hash"]) == (3, stage.configs[0].hash())
    assert told["folder"] == str(stage.folder / "runs/x_2024-03-08_143000")


def test_what_a_bot_prints_does_not_come_between_the_json(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    stage.says = "span is 34"

    stage(*stage.command, "--json")

    assert "span is 34\n" in stage.error.getvalue()
    assert len(stage.out.getvalue().splitlines()) == 1
    assert capsys.readouterr().out == ""


def test_a_figure_that_json_cannot_write_is_null(stage: Stage) -> None:
    stage.result.statistics = statistics(profit_factor=float("inf"))

    stage(*stage.command, "--json")

    assert json.loads(stage.out.getvalue())["statistics"]["profit_factor"] is None


@pytest.mark.rule("S6.9")
def test_bounds_stand_side_by_side_with_the_ambiguous_trades(stage: Stage) -> None:
    """S6.9."""
    stage(*stage.command, "--bounds")

    rows = [" ".join(line.split()) for line in stage.out.getvalue().splitlines()]
    assert "worst_case best_case next_open" in rows
    assert "Net profit -500.00 2,500.00 1,000.00" in rows
    assert "Ambiguous trades 7 7 7" in rows


def test_quiet_prints_nothing_but_errors(stage: Stage) -> None:
    code = stage(*stage.command, "--quiet")
    assert (code, stage.out.getvalue(), stage.error.getvalue()) == (0, "", "")

    code = stage(*stage.command, "--quiet", "--set", "seed=x")
    assert code == 2
    assert stage.error.getvalue() == 'error: override seed=x: seed: "x" is not a whole number\n'


def test_no_save_leaves_nothing_behind(stage: Stage) -> None:
    stage(*stage.command, "--no-save")

    assert stage.result.saved == []
    assert "Saved in" not in stage.out.getvalue()


def test_ctrl_c_keeps_and_saves_what_is_done_and_says_so(stage: Stage) -> None:
    stage.result.interrupted = True
    stage.result.bars = 400

    code = stage(*stage.command, "--bounds")

    assert code == 130
    assert stage.result.saved == [stage.folder / "runs/x_2024-03-08_143000"]
    assert stage.error.getvalue().endswith(
        f"stopped after 400 bars; what was done is kept in {stage.result.saved[0]}\n"
    )
    assert "Bounds" not in stage.out.getvalue()


def test_ctrl_c_during_the_bounds_keeps_the_run_and_shows_no_half_bound(stage: Stage) -> None:
    """S6.9: a bound of half of the bars is none."""
    stage.early = {"best_case": replace(stage.result, interrupted=True, status="interrupted")}

    code = stage(*stage.command, "--bounds")

    assert code == 130
    assert set(stage.result.bounds) == {"worst_case", "next_open"}
    assert "1,000 bars, worst_case" in stage.out.getvalue()
    assert stage.error.getvalue().endswith(
        f"stopped during the bounds, best_case left out; what was done is kept in {stage.result.saved[0]}\n"
    )


def test_ctrl_c_before_the_first_bound_keeps_the_run(stage: Stage) -> None:
    stage.fail_bounds = KeyboardInterrupt()

    code = stage(*stage.command, "--bounds", "--quiet")

    assert (code, stage.result.bounds) == (130, {})
    assert stage.error.getvalue() == (
        f"stopped during the bounds, all left out; what was done is kept in {stage.result.saved[0]}\n"
    )


def test_a_bot_that_raises_in_a_bound_is_an_error_and_the_rest_is_kept(stage: Stage) -> None:
    error = StrategyError("MyBot raised KeyError at bar 17", 17, 0)
    stage.early = {"next_open": replace(stage.result, error=error, status="failed")}

    code = stage(*stage.command, "--bounds", "--quiet")

    assert (code, set(stage.result.bounds)) == (2, {"worst_case", "best_case"})
    assert stage.error.getvalue() == (
        "error: MyBot raised KeyError at bar 17; the bound next_open is left out\n"
        f"what was done is kept in {stage.result.saved[0]}\n"
    )


def test_a_bot_that_raises_is_an_error_and_what_happened_is_kept(stage: Stage) -> None:
    stage.result.error = StrategyError("MyBot raised KeyError at bar 17", 17, 0)
    stage.result.status = "failed"

    code = stage(*stage.command, "--bounds")

    folder = stage.folder / "runs/x_2024-03-08_143000"
    assert code == 2
    assert stage.result.saved == [folder]
    assert stage.error.getvalue().endswith(
        f"error: MyBot raised KeyError at bar 17\nwhat was done is kept in {folder}\n"
    )
    assert stage.result.bounds == {}


def test_ctrl_c_before_there_is_a_result_says_that_nothing_is_kept(stage: Stage) -> None:
    stage.fail = KeyboardInterrupt()

    code = stage(*stage.command, "--quiet")

    assert code == 130
    assert stage.error.getvalue() == "stopped before there was a result; nothing is kept\n"


def test_an_error_is_a_sentence_and_exit_code_2(stage: Stage) -> None:
    code = stage("--config", str(stage.folder / "y.yaml"))

    assert code == 2
    assert stage.error.getvalue().startswith(f"error: {stage.folder / 'y.yaml'} does not exist; the nearest is")
    assert stage.out.getvalue() == ""


def test_another_bot_keeps_the_settings_it_knows_and_says_what_is_left_out(stage: Stage) -> None:
    code = stage(*stage.command, "--bot", "CoinFlip", "--set", "bot.p_buy=0.6")

    config = stage.configs[0]
    assert code == 0
    assert (config.bot.name, config.bot.module) == ("CoinFlip", None)
    assert config.bot.settings == {"risk_pct": 0.02, "p_buy": 0.6}
    assert "note: CoinFlip has no setting ema_span: left out\n" in stage.error.getvalue()


def test_a_bot_of_ones_own_is_found_from_where_the_command_was_started(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)

    stage(*stage.command, "--bot", "my_bots.py:MyBot")

    bot = stage.configs[0].bot
    assert bot.name == "MyBot"
    assert bot.module_file == elsewhere / "my_bots.py"


def test_an_unknown_exit_is_an_error(stage: Stage) -> None:
    code = stage(*stage.command, "--exit", "Trailing")

    assert code == 2
    assert 'error: there is no exit "Trailing"' in stage.error.getvalue()


def test_check_lookahead_reports_instead_of_running(stage: Stage) -> None:
    """S15."""
    code = stage(*stage.command, "--check-lookahead")

    assert (code, stage.out.getvalue()) == (0, "no look-ahead in 50 probes\n")
    assert stage.drives == []


def test_look_ahead_is_an_error(stage: Stage) -> None:
    """S15."""
    stage.lookahead = LookAheadError("MyBot changed its order at bar 17 when bar 18 changed")

    code = stage(*stage.command, "--check-lookahead", "--json")

    assert (code, stage.out.getvalue()) == (2, "")
    assert "bar 17" in stage.error.getvalue()


def test_list_and_version_need_no_configuration(stage: Stage) -> None:
    assert stage("--list") == 0
    assert stage("--version") == 0
    assert stage.out.getvalue().startswith("bots\n  CoinFlip\ntriphase ")


def test_a_missing_config_is_said_by_the_parser(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main([])

    assert caught.value.code == 2
    assert "--config is missing; configs/ holds some" in capsys.readouterr().err


def test_the_help_shows_examples_and_exit_codes(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["--help"])

    text = capsys.readouterr().out
    assert caught.value.code == 0
    assert all(part in text for part in ("examples:", "exit codes:", "--check-lookahead", "--set KEY=VALUE"))
    assert max(len(line) for line in text.splitlines()) <= 120


def test_run_folders_of_one_second_do_not_meet(tmp_path: Path) -> None:
    now = datetime(2024, 3, 8, 14, 30, tzinfo=UTC)
    first = new_folder(tmp_path, "my/run", now)
    first.mkdir()

    second = new_folder(tmp_path, "my/run", now)

    assert (first.name, second.name) == ("my_run_2024-03-08_143000", "my_run_2024-03-08_143000_2")


def test_help_imports_no_engine(repo_root: Path) -> None:
    code = (
        "import sys; from research.headless import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: pass\n"
        "print([name for name in ('numba', 'pydantic', 'pandas', 'matplotlib', 'PyQt6') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=repo_root, capture_output=True, text=True, check=True)

    assert done.stdout.splitlines()[-1] == "[]"

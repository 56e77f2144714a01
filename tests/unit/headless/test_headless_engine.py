"""The command line with the engine itself: the shipped sample, bounds, the check for look-ahead, a bot that fails."""

import io
import json
from pathlib import Path
from typing import Any

import pytest

from research.headless import main
from research.headless.surroundings import Surroundings

END = "2024-09-05"

USER_BOT = """\
from bots.base import BaseStrategyBot
from engine.orders import Side


class Opens(BaseStrategyBot):
    def decide_side(self, env, symbol):
        return Side.BUY if env.bar(symbol).open > env.bar(symbol).last_close else None


class Fails(BaseStrategyBot):
    def decide_side(self, env, symbol):
        raise KeyError("no such thing")


class Stops(BaseStrategyBot):
    def decide_side(self, env, symbol):
        if env.bar_index == 700:
            raise KeyboardInterrupt
        return None


class Looks(BaseStrategyBot):
    def decide_side(self, env, symbol):
        closes = env.api.market.close[:, 0]
        bar = env.bar_index
        return Side.BUY if closes[bar] > env.bar(symbol).open else Side.SELL
"""


def command(*arguments: str) -> tuple[int, str, str]:
    out, error = io.StringIO(), io.StringIO()
    code = main(arguments, Surroundings(out=out, error=error))
    return code, out.getvalue(), error.getvalue()


@pytest.fixture
def small(tmp_path: Path, repo_root: Path) -> Path:
    """A configuration over some hours of one shipped symbol."""
    path = tmp_path / "small.yaml"
    path.write_text(
        f"seed: 5\nend: {END}\n"
        f"assets:\n  - {{symbol: ES_SYN, file: {repo_root / 'data/sample/ES_SYN.parquet'}, contract: ES}}\n"
        "bot: {name: TrendFollowing, settings: {risk_pct: 0.005}}\n"
        "exit: {name: FixedRatio, settings: {atr_multiple: 0.5, r_multiple: 1}}\n"
        "data: {cache: false, timestamp: open}\n",
        encoding="utf-8",
    )
    (tmp_path / "my_bots.py").write_text(USER_BOT, encoding="utf-8")
    return path


def told(*arguments: str) -> dict[str, Any]:
    code, out, error = command(*arguments, "--json", "--quiet")
    assert (code, error) == (0, "")
    values: dict[str, Any] = json.loads(out)
    return values


def test_the_drives_tell_the_same(small: Path) -> None:
    """S14."""
    both = [told("--config", str(small), "--no-save", "--drive", drive) for drive in ("step", "compiled")]

    assert [one["drive"] for one in both] == ["step", "compiled"]
    assert both[0]["statistics"] == both[1]["statistics"]
    assert both[0]["statistics"]["trades"] > 0


def test_a_saved_run_holds_its_configuration_and_report(small: Path, tmp_path: Path) -> None:
    run = told("--config", str(small), "--out", str(tmp_path / "runs"), "--report")

    folder = Path(run["folder"])
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["config_hash"] == run["config_hash"]
    assert {"report.html", "equity.png", "fills.parquet"} <= {file.name for file in folder.iterdir()}


def test_bounds_are_run_and_told(small: Path) -> None:
    """S6.9."""
    run = told("--config", str(small), "--no-save", "--bounds")

    worst, best = (run["bounds"][name]["statistics"]["net_profit"] for name in ("worst_case", "best_case"))
    assert set(run["bounds"]) == {"worst_case", "best_case", "next_open"}
    assert worst == run["statistics"]["net_profit"]
    assert worst < best


def test_a_users_bot_is_loaded_and_found_honest(small: Path) -> None:
    """S15."""
    code, out, error = command(
        "--config", str(small), "--bot", f"{small.parent / 'my_bots.py'}:Opens", "--check-lookahead"
    )

    assert (code, error) == (0, "")
    assert out.startswith("No look-ahead found")


def test_a_bot_that_looks_ahead_is_found_out(small: Path) -> None:
    """S15."""
    code, _, error = command(
        "--config", str(small), "--bot", f"{small.parent / 'my_bots.py'}:Looks", "--check-lookahead"
    )

    assert code == 2
    assert error.startswith("error: Looks with FixedRatioExit looks ahead: ")


def test_a_bot_that_raises_ends_with_its_error_and_what_was_done(small: Path, tmp_path: Path) -> None:
    code, _, error = command(
        "--config", str(small), "--bot", f"{small.parent / 'my_bots.py'}:Fails", "--out", str(tmp_path / "runs"),
        "--no-report", "--quiet",
    )  # fmt: skip

    kept = list((tmp_path / "runs").iterdir())
    assert code == 2
    assert "Fails raised KeyError at bar" in error
    assert len(kept) == 1
    assert f"what was done is kept in {kept[0]}" in error


def test_ctrl_c_in_a_run_keeps_the_bars_that_are_done(small: Path, tmp_path: Path) -> None:
    code, out, error = command(
        "--config", str(small), "--bot", f"{small.parent / 'my_bots.py'}:Stops", "--out", str(tmp_path / "runs"),
        "--no-report", "--json", "--quiet",
    )  # fmt: skip

    run = json.loads(out)
    assert code == 130
    assert (run["status"], run["bars"]) == ("interrupted", 701)
    assert error == f"stopped after 701 bars; what was done is kept in {run['folder']}\n"


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("--bot", "CoinFlp"), "no bot is named 'CoinFlp'; the nearest is CoinFlip"),
        (("--exit", "TrailngATR"), "no exit is named 'TrailngATR'; the nearest is TrailingATR"),
        (("--set", "bot.ema_spam=3"), "bot.ema_spam=3: bot.settings.ema_spam: unknown key; the nearest is ema_span"),
        (("--set", "exit.atr_multiple=0"), "override exit.atr_multiple=0: exit.settings.atr_multiple: 0 is not > 0"),
        (("--path", "best"), "override simulation.path=best: simulation.path: "),
        (("--start", "2050-01-01", "--end", "2051-01-01"), "has no bars from 2050-01-01 to 2051-01-01"),
    ],
)  # fmt: skip
def test_a_wrong_option_is_said_with_its_cure(small: Path, arguments: tuple[str, ...], text: str) -> None:
    code, out, error = command("--config", str(small), "--no-save", *arguments)

    assert (code, out) == (2, "")
    assert text in error


def test_the_list_names_every_catalog() -> None:
    code, out, _ = command("--list")

    assert code == 0
    assert all(word in out for word in ("CoinFlip", "breakout_atr", "FixedRatio", "half_spread_ticks", "ema(period=20"))


@pytest.fixture
def learning(small: Path, tmp_path: Path) -> tuple[str, ...]:
    """A run whose exit learns while it trades, and keeps what it learned in a folder."""
    kept = f"exit.state={tmp_path / 'state'}"
    return ("--config", str(small), "--bot", "CoinFlip", "--exit", "linucb", "--set", "end=2024-09-09", "--set", kept)


def learned(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.glob("*")}


@pytest.mark.rule("S6.9")
def test_bounds_begin_with_what_the_run_began_with_and_leave_what_it_learned(
    learning: tuple[str, ...], tmp_path: Path
) -> None:
    """S6.9: under the run's own path a bound is the run itself, also where its exit has learned before."""
    for _ in range(2):
        state = learned(tmp_path / "state")
        code, out, _ = command(*learning, "--bounds", "--json", "--no-save", "--quiet")
        told, after = json.loads(out), learned(tmp_path / "state")
        assert code == 0
        assert told["statistics"]["trades"] > 50
        assert told["bounds"]["worst_case"]["statistics"] == told["statistics"]
        assert after != state
    again = tmp_path / "state"
    for name, content in state.items():
        (again / name).write_bytes(content)
    command(*learning, "--no-save", "--quiet")
    assert learned(again) == after


@pytest.mark.rule("S15")
def test_a_check_for_look_ahead_keeps_nothing_of_what_its_probes_learned(
    learning: tuple[str, ...], tmp_path: Path
) -> None:
    short = (*learning, "--set", "end=2024-09-03T04:00:00Z")
    command(*short, "--no-save", "--quiet")
    before = learned(tmp_path / "state")
    assert before
    code, _, error = command(*short, "--check-lookahead", "--quiet")
    assert (code, error) == (0, "")
    assert learned(tmp_path / "state") == before

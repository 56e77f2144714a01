"""The command line of a sweep: what it says, where, and with which exit code; and the best setting's configuration."""

import errno
import io
from collections.abc import Sequence
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from bots.catalog import make_bot
from data import folder_lock
from engine import run_backtest
from engine.config import load_config
from research.headless import main as headless
from research.headless.surroundings import Surroundings
from research.sweeping import driving
from research.sweeping.command import main
from research.sweeping.estimate import duration
from research.sweeping.planning import plan_sweep
from research.sweeping.standings import Standings
from research.sweeping.store import LOCK
from research.sweeping.winner import winner
from tests.sweep.worlds import GRID, world

BEST = GRID + "objective: net_profit\nseeds: [4, 5]\npaths: [best_case]\n"


def called(argv: Sequence[object], entry: object = main) -> tuple[int, str, str]:
    out, error = io.StringIO(), io.StringIO()
    code = entry([str(word) for word in argv], Surroundings(out=out, error=error))  # type: ignore[operator]
    return code, out.getvalue(), error.getvalue()


def test_a_sweep_ends_with_its_table_its_report_and_its_best_setting(tmp_path: Path) -> None:
    file, folder, best = world(tmp_path, BEST), tmp_path / "out", tmp_path / "elsewhere" / "best.yaml"
    best.parent.mkdir()
    code, out, error = called([file, "--out", folder, "--open-best", best])
    assert (code, sorted(path.name for path in folder.iterdir())) == (
        0,
        ["ranking.csv", "report.html", "results.parquet", "sweep.json"],
    )
    assert "36 runs, 0 failed" in out
    assert "best setting written to" in error
    results = pq.read_table(folder / "results.parquet")
    assert results.num_rows == 36
    config = load_config(best)
    figures = run_backtest(config, make_bot(config.bot, config.exit)).statistics
    assert figures.net_profit in results["net_profit"].to_pylist()
    plan, _ = plan_sweep(file)
    wanted = winner(Standings(plan, results))
    assert (config.symbols, config.seed, config.simulation) == (wanted.symbols, wanted.seed, wanted.simulation)
    assert (config.bot.settings, config.exit.settings) == (wanted.bot.settings, wanted.exit.settings)


def test_a_second_driver_on_the_same_folder_is_refused_and_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, folder = world(tmp_path), tmp_path / "out"
    second: list[tuple[int, str, str]] = []
    take = driving.Standing.take

    def start_another(*arguments: object) -> None:
        take(*arguments)  # type: ignore[arg-type]
        before = sorted(folder.rglob("*"))
        second.append(called([file, "--out", folder, "--quiet"]))
        assert sorted(folder.rglob("*")) == before

    monkeypatch.setattr(driving.Standing, "take", start_another)
    assert called([file, "--out", folder, "--quiet"])[0] == 0
    code, _, error = second[0]
    assert code == 2
    assert f"error: the sweep in {folder} is in use by process " in error
    assert "wait until that has ended, or name another --out" in error
    monkeypatch.undo()
    assert called([file, "--out", folder, "--quiet"])[0] == 0


def test_a_lock_that_a_killed_driver_left_behind_refuses_nobody(tmp_path: Path) -> None:
    file, folder = world(tmp_path), tmp_path / "out"
    folder.mkdir()
    (folder / LOCK).write_text("process 1 on a machine that is gone\n", encoding="utf-8")
    assert called([file, "--out", folder, "--quiet"])[0] == 0
    assert not (folder / LOCK).exists()


def test_where_the_file_system_has_no_locks_a_sweep_runs_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unable(_: int) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(folder_lock, "_take", unable)
    code, _, error = called([world(tmp_path), "--out", tmp_path / "out", "--quiet"])
    assert code == 0
    assert "warning: " in error
    assert "the file system has no locks" in error


def test_done_already_it_only_says_so_again(tmp_path: Path) -> None:
    file, folder = world(tmp_path), tmp_path / "out"
    first = called([file, "--out", folder])
    before = (folder / "results.parquet").stat().st_mtime_ns
    again = called([file, "--out", folder])
    assert again == (0, first[1], "")
    assert (folder / "results.parquet").stat().st_mtime_ns == before


def test_the_headless_command_runs_sweeps_too(tmp_path: Path) -> None:
    file = world(tmp_path)
    code, out, _ = called(["--sweep", file, "--out", tmp_path / "a", "--quiet"], headless)
    assert (code, out) == (0, "")
    called([file, "--out", tmp_path / "b", "--quiet"])
    assert (tmp_path / "a" / "results.parquet").read_bytes() == (tmp_path / "b" / "results.parquet").read_bytes()


def test_a_dry_run_counts_and_measures_and_leaves_nothing(tmp_path: Path) -> None:
    file = world(tmp_path)
    before = sorted(tmp_path.iterdir())
    code, out, _ = called([file, "--dry-run"])
    assert code == 0
    assert "18 runs = 9 settings x 2 cells (2 of symbols, 1 of folds, 1 of paths, 1 of seeds)" in out
    assert "ms a run on one core" in out
    assert sorted(tmp_path.iterdir()) == before


def test_a_dry_run_names_what_will_fail(tmp_path: Path) -> None:
    file = world(tmp_path, GRID.replace("[10, 20, 40]", "[1, 20, 40]"))
    (tmp_path / "aa.csv").unlink()
    _, out, _ = called([file, "--dry-run"])
    assert "AA: error: " in out
    assert "3 of the 9 failed, first: bot.ema_span: 1 is not >= 2" in out


def test_an_error_is_said_in_a_sentence(tmp_path: Path) -> None:
    file = world(tmp_path, GRID.replace("ema_span", "ema_spam"))
    code, out, error = called([file])
    assert (code, out) == (2, "")
    assert "sweep.yaml:4 grid.bot.ema_spam" in error


def test_ctrl_c_keeps_what_is_done_and_says_how_to_go_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file, folder = world(tmp_path), tmp_path / "out"
    take = driving.Standing.take

    def stop(*arguments: object) -> None:
        take(*arguments)  # type: ignore[arg-type]
        raise KeyboardInterrupt

    monkeypatch.setattr(driving.Standing, "take", stop)
    code, _, error = called([file, "--out", folder, "--quiet"])
    assert code == 130
    assert "stopped with 9 of 18 runs done" in error
    monkeypatch.undo()
    assert called([file, "--out", folder, "--quiet"])[0] == 0
    called([file, "--out", tmp_path / "whole", "--quiet"])
    assert (folder / "results.parquet").read_bytes() == (tmp_path / "whole" / "results.parquet").read_bytes()


def test_ctrl_c_while_the_report_is_made_says_that_all_runs_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, folder = world(tmp_path), tmp_path / "out"

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("research.sweeping.report.write_sweep_report", stop)
    code, out, error = called([file, "--out", folder, "--quiet"])
    assert (code, out) == (130, "")
    assert f"stopped with 18 of 18 runs done, kept in {folder}; the same command goes on" in error
    assert (folder / "results.parquet").exists()


@pytest.mark.parametrize(
    ("argv", "told"),
    [
        (["x.yaml", "--workers", "0"], "--workers 0 is not at least 1"),
        (["x.yaml", "--workers", "2", "--ray", "local"], "give one of them"),
        (["x.yaml", "--work", "2"], "unrecognized arguments"),
    ],
)
def test_options_that_make_no_sense_are_refused(argv: list[str], told: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(argv)
    assert told in capsys.readouterr().err


def test_options_of_a_sweep_need_one(capsys: pytest.CaptureFixture[str]) -> None:
    for argv in (["--config", "x.yaml", "--dry-run"], ["--config", "x.yaml", "--workers", "2"]):
        with pytest.raises(SystemExit):
            headless(argv)
        assert "belongs to a sweep" in capsys.readouterr().err


def test_durations_are_words() -> None:
    texts = [duration(seconds) for seconds in (0.44, 12, 200, 18_600, 270_000)]
    assert texts == ["0.4 s", "12 s", "3 min 20 s", "5 h 10 min", "3 d 3 h"]

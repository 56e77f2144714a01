"""The trainers as programs: what Ctrl-C keeps, what --resume goes on from, and what they refuse."""

import json
import os
import re
import signal
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.store import read_arrays

ROOT = Path(__file__).resolve().parents[2]
SMALL = ["--symbols", "ES_SYN", "--set", "end=2024-09-13", "--stride", "3"]
SCRIPTS = {"ppo": "research/train_ppo_stop_selector.py", "lstm": "research/train_lstm_sl_model.py"}
LENGTH = {
    "ppo": ["--frames", "60000", "--trades", "256"],
    "lstm": ["--epochs", "3", "--batch", "128", "--lookback", "16", "--hidden", "8"],
}


def command(kind: str, folder: Path, *options: str) -> list[str]:
    return [sys.executable, SCRIPTS[kind], *SMALL, *LENGTH[kind], "--out", str(folder), "--name", "small", *options]


def trained(kind: str, folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command(kind, folder, *options), cwd=ROOT, capture_output=True, text=True, timeout=900)


def weights(folder: Path, name: str = "small") -> np.ndarray:
    path = folder / f"{name}.npz"
    return read_arrays(path.read_bytes(), path)["weights"]


def interrupted(kind: str, folder: Path, number: signal.Signals) -> subprocess.CompletedProcess[str]:
    """Send the signal once the progress bar has moved."""
    process = subprocess.Popen(
        command(kind, folder),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "COLUMNS": "80"},
    )
    said = b""
    try:
        assert process.stderr is not None
        while not re.search(rb"\s[1-9]\d*%\|", said):
            piece = os.read(process.stderr.fileno(), 4096)
            assert piece, said
            said += piece
        process.send_signal(number)
        out, rest = process.communicate(timeout=900)
    finally:
        process.kill()
        process.wait()
    return subprocess.CompletedProcess([], process.returncode, out.decode(), (said + rest).decode())


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize(("kind", "number"), [("ppo", signal.SIGINT), ("lstm", signal.SIGTERM)])
def test_a_training_that_is_stopped_and_gone_on_with_gives_the_bytes_of_one_that_was_not(
    kind: str, number: signal.Signals, tmp_path: Path
) -> None:
    pytest.importorskip("torch")
    whole, parted = tmp_path / "whole", tmp_path / "parted"
    undisturbed = trained(kind, whole, "--quiet")

    stopped = interrupted(kind, parted, number)
    early = weights(parted)
    kept = json.loads((parted / "small.json").read_text())["training"]
    resumed = trained(kind, parted, "--resume", "--quiet")
    again = trained(kind, parted, "--resume", "--quiet")

    assert undisturbed.returncode == 0, undisturbed.stderr
    assert "on" in undisturbed.stdout
    assert stopped.returncode == 130, stopped.stderr
    assert "go on with --resume" in stopped.stdout
    assert "Traceback" not in stopped.stderr
    assert kept["frames_done" if kind == "ppo" else "batches_done"] > 0
    assert resumed.returncode == 0, resumed.stderr
    assert early.tobytes() != weights(whole).tobytes()
    assert weights(parted).tobytes() == weights(whole).tobytes()
    assert "is trained already" in again.stdout
    assert not list(parted.glob("*checkpoint*"))


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_help_says_what_each_option_is_for() -> None:
    pytest.importorskip("torch")
    for script in (*SCRIPTS.values(), "research/generate_ML_SL_Training_data.py", "research/evaluate_exits.py"):
        shown = subprocess.run(
            [sys.executable, script, "--help"], cwd=ROOT, capture_output=True, text=True, timeout=120
        )
        assert shown.returncode == 0, shown.stderr
        assert {"--seed", "--symbols", "--multiples"} <= set(shown.stdout.split())


def main_of(kind: str) -> Any:
    pytest.importorskip("torch")
    from research.learning import lstm_command, ppo_command

    return ppo_command.main if kind == "ppo" else lstm_command.main


QUICK = {"ppo": ["--frames", "4096", "--trades", "256"], "lstm": ["--epochs", "1", "--lookback", "16", "--hidden", "4"]}


def quick(kind: str, folder: Path, *options: str) -> int:
    code: int = main_of(kind)([*SMALL, *QUICK[kind], "--out", str(folder), "--name", "small", "--quiet", *options])
    return code


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("kind", ["ppo", "lstm"])
def test_the_same_seed_gives_the_same_model_and_another_another(kind: str, tmp_path: Path) -> None:
    for folder, seed in (("first", "4"), ("second", "4"), ("other", "5")):
        assert quick(kind, tmp_path / folder, "--seed", seed) == 0

    first, second, other = (tmp_path / folder / "small.npz" for folder in ("first", "second", "other"))
    assert first.read_bytes() == second.read_bytes()
    assert first.read_bytes() != other.read_bytes()


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_one_model_per_symbol_learns_from_that_symbol_alone(tmp_path: Path) -> None:
    options = ["--symbols", "ES_SYN", "CL_SYN", "--set", "end=2024-09-13", "--stride", "6", "--quiet"]
    main = main_of("lstm")
    assert main([*options, *QUICK["lstm"], "--out", str(tmp_path), "--name", "own", "--per-symbol"]) == 0
    assert main([*options, *QUICK["lstm"], "--out", str(tmp_path), "--name", "pooled"]) == 0

    counts = {path.stem: json.loads(path.read_text())["split"]["learned_from"] for path in tmp_path.glob("*.json")}
    assert set(counts) == {"own-ES_SYN", "own-CL_SYN", "pooled"}
    assert abs(counts["own-ES_SYN"] + counts["own-CL_SYN"] - counts["pooled"]) < 0.01 * counts["pooled"]


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_the_loss_of_expected_r_trains_another_network(tmp_path: Path) -> None:
    assert quick("lstm", tmp_path / "mse") == 0
    assert quick("lstm", tmp_path / "expected", "--loss", "expected") == 0

    assert weights(tmp_path / "mse").tobytes() != weights(tmp_path / "expected").tobytes()
    assert json.loads((tmp_path / "expected/small.json").read_text())["training"]["loss"] == "expected"


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("kind", ["ppo", "lstm"])
def test_a_checkpoint_that_is_damaged_or_of_another_training_is_refused(
    kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "small.checkpoint.pt").write_bytes(b"not a checkpoint")
    assert quick(kind, tmp_path, "--resume") == 2
    assert "small.checkpoint.pt is no whole checkpoint" in capsys.readouterr().err

    stopped_after_a_step(kind, tmp_path)
    assert quick(kind, tmp_path, "--resume", "--seed", "9") == 2
    assert "the interrupted training had seed 1, this one has 9" in capsys.readouterr().err
    assert quick(kind, tmp_path, "--resume", "--multiples", "1", "2", "3") == 2
    assert "the interrupted training had entries" in capsys.readouterr().err
    assert quick(kind, tmp_path, "--resume") == 0


def stopped_after_a_step(kind: str, folder: Path) -> None:
    """The training of ``quick``, ended by its listener after one step."""
    from research.learning.memory import MemorySettings, train_memory
    from research.learning.policy import PolicySettings, train_policy
    from research.learning.preparing import prepared_for

    parser = main_of(kind).__globals__["parser"]()
    schooling = prepared_for(parser.parse_args([*SMALL, *QUICK[kind]]))
    if kind == "ppo":
        settings = PolicySettings(frames=4096, trades=256)
        train_policy(schooling.ground, schooling.train, settings, 1, folder / "small.zip", lambda done: done < 2048)
    else:
        of = MemorySettings(epochs=1, lookback=16, hidden=4)
        sequence = schooling.ground.features.sequence
        train_memory(sequence, schooling.train, of, 1, folder / "small.pt", lambda done, loss: done < 2)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (["--multiples", "2"], "--multiples 2: give 2 to 8 different ones above 0"),
        (["--multiples", "1", "1"], "--multiples 1 1: give 2 to 8"),
        (["--set", "end=2024-09-03"], "give more bars"),
        (["--set", "assets.0.file=missing.parquet"], "missing.parquet"),
    ],
)
@pytest.mark.parametrize("kind", ["ppo", "lstm"])
def test_what_cannot_be_trained_is_an_error_that_says_why(
    kind: str, options: list[str], text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Found before torch is needed."""
    from research.learning import lstm_command, ppo_command

    main = ppo_command.main if kind == "ppo" else lstm_command.main
    assert main(["--symbols", "ES_SYN", *options, "--out", str(tmp_path)]) == 2
    assert text in capsys.readouterr().err


def test_a_model_of_other_labels_does_not_count_as_trained(tmp_path: Path) -> None:
    from research.learning import ppo_command
    from research.learning.policy import PolicySettings
    from research.learning.preparing import prepared_for
    from research.learning.training import is_trained

    def found(*options: str) -> bool:
        given = ppo_command.parser().parse_args([*SMALL, "--stride", "50", "--resume", *options])
        schooling, file = prepared_for(given), tmp_path / "small.zip"
        if not options:
            training = {**asdict(PolicySettings()), "frames_done": 10}
            manifest = {**schooling.facts, "seed": 1, "training": training}
            file.with_suffix(".json").write_text(json.dumps(manifest))
            file.with_suffix(".npz").touch()
        return is_trained(given, file, PolicySettings(), schooling, "frames_done", 10)

    assert found()
    assert not found("--unit", "atr")
    assert not found("--multiples", "1", "2.5", "6")
    assert not found("--set", "simulation.market_fill=next_open")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["out", "out/deeper"])
def test_a_model_that_cannot_be_written_is_an_error_that_names_the_place(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from research.learning import ppo_command

    (tmp_path / "out").touch()
    assert ppo_command.main([*SMALL, "--stride", "200", "--quiet", "--out", str(tmp_path / name)]) == 2
    assert f"error: {tmp_path / name} cannot be written" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["out", "out/deeper"])
def test_a_place_that_cannot_be_written_is_an_error_that_names_it(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from research.learning import data_command, evaluation_command

    (tmp_path / "out").touch()
    few = [*SMALL, "--stride", "200", "--quiet", "--out", str(tmp_path / name)]
    assert data_command.main(few) == 2
    assert f"error: {tmp_path / name} cannot be written" in capsys.readouterr().err
    few[-1] = str(tmp_path / name / "page.md")
    assert evaluation_command.main([*few, "--learners", "linucb", "--no-control"]) == 2
    assert f"error: {tmp_path / name} cannot be written" in capsys.readouterr().err


@pytest.mark.parametrize(
    "option",
    [
        ["--frames", "0"],
        ["--stride", "-1"],
        ["--share", "1.5"],
        ["--embargo", "-1"],
        ["--embargo", "nan"],
        ["--seed", "-1"],
        ["--rate", "0"],
        ["--rate", "nan"],
        ["--entropy", "-1"],
        ["--minibatch", "1"],
        ["--device", "gpu"],
        ["--name", "a/b"],
    ],
)
def test_an_option_out_of_its_range_ends_with_how_it_is_used(
    option: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whatever is taken after all is trained elsewhere than in the store of shipped models."""
    from research.learning import ppo_command

    with pytest.raises(SystemExit, match="2"):
        ppo_command.main([*option, *SMALL, "--frames", "1024", "--out", str(tmp_path)])
    assert option[0] in capsys.readouterr().err


@pytest.mark.slow
def test_a_device_that_is_not_there_is_an_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    torch = pytest.importorskip("torch")
    from research.learning import ppo_command

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    few = [*SMALL, "--stride", "200", "--quiet", "--frames", "1024", "--out", str(tmp_path)]
    assert ppo_command.main([*few, "--device", "cuda"]) == 2
    assert "--device cuda: torch" in capsys.readouterr().err

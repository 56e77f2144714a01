"""The commands of learned exits, on the sample, small."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from research.learning import data_command, evaluation_command
from research.learning.preparing import prepared_for

SMALL = ["--symbols", "ES_SYN", "--set", "end=2024-09-13"]


def test_a_data_set_holds_what_was_seen_and_what_each_multiple_made_of_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import pandas as pd

    assert data_command.main([*SMALL, "--stride", "5", "--out", str(tmp_path), "--quiet"]) == 0
    frame = pd.read_parquet(tmp_path / "ES_SYN.parquet")
    text = pd.read_csv(tmp_path / "ES_SYN.csv")

    assert {"ATR", "RSI", "EMA", "Close", "PositionType", "r_1", "r_6", "best_multiple", "censored"} <= set(frame)
    assert not frame["censored"].any()
    assert len(text) == len(frame) > 1000
    best = frame[["r_1", "r_1.5", "r_2", "r_3", "r_4", "r_6"]].to_numpy().argmax(axis=1)
    assert (frame["best_multiple"].to_numpy() == np.array([1, 1.5, 2, 3, 4, 6])[best]).all()
    assert "features" in capsys.readouterr().out


def test_an_unknown_symbol_is_an_error_and_no_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    assert data_command.main(["--symbols", "NO"]) == 2
    assert "has no symbol 'NO'; it has ES_SYN" in capsys.readouterr().err


def test_an_evaluation_is_a_page_with_intervals(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = tmp_path / "page.md"
    options = ["--learners", "linucb", "--stride", "10", "--folds", "2", "--out", str(page)]
    assert evaluation_command.main([*SMALL, *options]) == 0

    assert page.read_text() in capsys.readouterr().out + "\n"
    assert page.read_text().count("| linucb |") == 2
    assert "Control: fair random walks" in page.read_text()


def test_the_control_walks_for_the_judged_symbols_alone() -> None:
    given = evaluation_command.parser().parse_args([*SMALL, "--stride", "100"])
    schooling = prepared_for(given, teaching=False)
    _, walked = evaluation_command.control_of(given, schooling)
    assert {walked.symbols[number] for number in set(walked.symbol)} == {"ES_SYN"}


def test_a_bandit_is_judged_without_torch() -> None:
    assert not evaluation_command.needs_torch(["--learners", "linucb"])
    assert evaluation_command.needs_torch([])
    assert evaluation_command.needs_torch(["--learners", "linucb", "lstm"])


def test_an_evaluation_that_is_interrupted_is_gone_on_with(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    page, whole = tmp_path / "page.md", tmp_path / "whole.md"
    options = [*SMALL, "--learners", "linucb", "--stride", "20", "--folds", "2", "--no-control", "--quiet"]
    judge, judged = evaluation_command.learners.linucb, []

    def interrupt_the_second(*given: Any) -> Any:
        judged.append(given)
        if len(judged) == 2:
            raise KeyboardInterrupt
        return judge(*given)

    assert evaluation_command.main([*options, "--out", str(whole)]) == 0
    monkeypatch.setattr(evaluation_command.learners, "linucb", interrupt_the_second)
    assert evaluation_command.main([*options, "--out", str(page)]) == 130
    assert "--resume takes over the folds that are done" in capsys.readouterr().err
    assert evaluation_command.main([*options, "--out", str(page), "--resume", "--seed", "2"]) == 2
    assert "was left by a run over other entries or options" in capsys.readouterr().err
    assert evaluation_command.main([*options, "--out", str(page), "--resume"]) == 0

    assert len(judged) == 3
    assert page.read_text() == whole.read_text()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["page.md", "whole.md"]


@pytest.mark.parametrize("folds", ["0", "400"])
def test_folds_that_cannot_be_judged_are_an_error(folds: str, capsys: pytest.CaptureFixture[str]) -> None:
    options = [*SMALL, "--learners", "linucb", "--stride", "2000", "--no-control", "--quiet", "--folds", folds]
    if folds == "0":
        with pytest.raises(SystemExit, match="2"):
            evaluation_command.main(options)
    else:
        assert evaluation_command.main([*options, "--embargo", "30"]) == 2
    assert "fold" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["ppo", "lstm"])
def test_a_training_leaves_a_model_that_is_served(kind: str, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    from exits.features import feature_hash
    from models.store import load_model
    from research.learning import lstm_command, ppo_command

    common = [*SMALL, "--stride", "3", "--out", str(tmp_path), "--name", "small", "--quiet"]
    main, options = (
        (ppo_command.main, ["--frames", "20000"]) if kind == "ppo" else (lstm_command.main, ["--epochs", "1"])
    )
    assert main([*common, *options]) == 0

    model = load_model(str(tmp_path / "small"), kind, feature_hash())
    manifest = json.loads((tmp_path / "small.json").read_text())
    assert {"costs", "data", "split", "seed", "versions", "training", "entries_of"} <= set(manifest)
    assert model.arrays["probe_out"].shape == (8, 6)

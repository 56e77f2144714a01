"""What learned exits run on is compiled where it is first needed, and that is said."""

from pathlib import Path

import pytest

from bots.coin_flip import CoinFlipBot
from engine.kernel.compiling import JIT
from engine.run import Run
from exits import compiling
from exits.bandit_overlay import LinUCBExit
from tests.learn import grounds


@pytest.mark.skipif(not JIT, reason="without compilation there is nothing to say")
def test_each_part_is_said_once_and_never_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(compiling, "MARKER", tmp_path / "folder/complete")

    compiling.ensure_compiled(said.append)
    first = list(said)
    compiling.ensure_compiled(said.append)

    assert first[0] == "compiling what learned exits run on, once: part 1 of 6"
    assert "is compiled (" in first[-1]
    assert len(first) == 7
    assert said == first


@pytest.mark.skipif(not JIT, reason="without compilation there is nothing to say")
def test_a_run_with_a_learned_exit_says_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(compiling, "MARKER", tmp_path / "complete")

    Run(grounds.engine(grounds.market(5, sessions=1)), CoinFlipBot(exit=LinUCBExit()))

    assert "part 6 of 6" in capsys.readouterr().err


def test_a_derived_learner_decides_but_does_not_learn_and_that_is_noted() -> None:
    class Derived(LinUCBExit):
        """Adds nothing; its methods are called in Python."""

    run = Run(grounds.engine(grounds.market(5, sessions=1)), CoinFlipBot(exit=Derived()))

    assert any("Derived is called in Python" in note and "does not learn" in note for note in run.engine.notes)
    own = Run(grounds.engine(grounds.market(5, sessions=1)), CoinFlipBot(exit=LinUCBExit()))
    assert not own.engine.notes

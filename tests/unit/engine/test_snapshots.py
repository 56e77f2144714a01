"""What a snapshot keeps is a copy, and none is taken of a bar that a bot has failed in (S14)."""

from typing import Any

import pytest

from engine import snapshots
from engine.environment import TradingEnvironment
from engine.errors import StrategyError
from engine.run import Run
from exits.atr import TrailingATRExit
from tests.unit.engine import small_runs
from tests.unit.engine.small_runs import ActingBot


class Remembering(ActingBot):
    """Keeps the bars that it has seen in a list, hands out that very list and takes one back as its own."""

    def __init__(self) -> None:
        super().__init__(self.remember)
        self.exit = TrailingATRExit()
        self.seen: list[int] = []

    def remember(self, env: TradingEnvironment) -> None:
        self.seen.append(env.bar_index)

    def get_state(self) -> dict[str, Any]:
        return {"seen": self.seen}

    def set_state(self, state: dict[str, Any]) -> None:
        self.seen = state["seen"]


@pytest.fixture
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Snapshots after every chunk."""
    monkeypatch.setattr(snapshots, "EVERY_SECONDS", 0.0)


def test_a_list_that_a_bot_goes_on_filling_is_kept_as_it_was() -> None:
    run = Run(small_runs.engine(), Remembering(), snapshots=True)
    run.advance(10)
    kept = run.snapshot()

    for _ in range(2):  # the first restore hands out what the second one needs
        run.advance(30)
        run.restore(kept)

        assert run.bot.seen == list(range(10))  # type: ignore[attr-defined]


class BrokenState(Remembering):
    """Cannot tell its state from some bar on."""

    def __init__(self, bar: int) -> None:
        super().__init__()
        self.bar = bar

    def get_state(self) -> dict[str, Any]:
        if len(self.seen) >= self.bar:
            raise LookupError("no such cell")
        return super().get_state()


def test_a_state_that_cannot_be_told_is_the_bot_s_error_before_the_first_bar() -> None:
    with pytest.raises(StrategyError, match="BrokenState raised LookupError before the first bar: no such cell"):
        Run(small_runs.engine(), BrokenState(0))


@pytest.mark.usefixtures("often")
def test_a_state_that_cannot_be_told_later_ends_the_run_there() -> None:
    run = Run(small_runs.engine(), BrokenState(12), snapshots=True)

    assert run.complete() == "failed"

    assert str(run.error).startswith("BrokenState raised LookupError at bar 29 (2024-03-08 12:29 UTC), phase CLOSE")


class BrokenBar(Remembering):
    """Raises in bar 12."""

    def remember(self, env: TradingEnvironment) -> None:
        super().remember(env)
        if env.bar_index == 12:
            raise LookupError("no such cell")


@pytest.mark.usefixtures("often")
def test_a_run_taken_back_to_the_bar_it_failed_in_fails_there_again() -> None:
    """The bar was closed without its bot, so nothing goes on from it."""
    run = Run(small_runs.engine(), BrokenBar(), snapshots=True)
    run.complete()
    assert (run.status, run.next_bar) == ("failed", 13)

    run.go_back(13)

    assert (run.status, run.next_bar) == ("failed", 13)

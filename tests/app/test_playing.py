"""How the cursor moves: speeds, steps by trade, conditions; models alone, without Qt."""

import pytest

from app.charts.cursor import Cursor
from app.replay.model import ReplayModel
from app.replay.playback import Condition, PauseRule, Playback
from engine.kernel.schema import EventKind, Phase, Reason
from tests.app.runs import config_of, model_of


@pytest.fixture(scope="module")
def model() -> ReplayModel:
    return model_of(config_of("sample", "end=2024-09-03"))


@pytest.fixture
def playback(model: ReplayModel) -> Playback:
    model.cursor_model.go(0, Phase.OPEN)
    return Playback(model)


def test_time_moves_the_cursor_by_speed_and_keeps_what_is_left_over(playback: Playback) -> None:
    playback.speed = 25.0
    playback.play()
    for _ in range(60):
        playback.advance(1 / 60)
    assert playback.model.cursor.bar in (24, 25)
    playback.play(False)
    assert not playback.advance(10.0)


def test_at_the_highest_speed_it_goes_to_what_is_there_and_waits_for_a_running_engine(playback: Playback) -> None:
    playback.speed = float("inf")
    playback.play()
    assert playback.advance(0.016, running=True)
    assert playback.model.cursor_model.at_end
    assert playback.playing
    playback.advance(0.016, running=False)
    assert not playback.playing


def test_a_frame_in_which_no_time_has_passed_moves_nothing_at_any_speed(playback: Playback) -> None:
    playback.speed = float("inf")
    playback.play()
    assert not playback.advance(0.0, running=True)
    assert playback.playing
    assert playback.advance(0.016, running=True)


@pytest.mark.parametrize(
    ("condition", "reasons"), [(Condition.FILL, set(Reason)), (Condition.STOP_HIT, {Reason.STOP_LOSS})]
)
def test_it_stops_at_the_next_fill_and_at_the_next_stop(
    playback: Playback, condition: Condition, reasons: set[Reason]
) -> None:
    playback.rules, playback.speed = [PauseRule(condition)], 1e9
    fills = playback.model.store.fills
    for _ in range(5):
        before = playback.model.cursor
        playback.play()
        playback.advance(1.0)
        wanted = [
            (int(row["bar"]), int(row["phase"]))
            for row in fills.rows
            if Reason(int(row["reason"])) in reasons and (row["bar"], row["phase"]) > (before.bar, before.phase)
        ]
        assert (playback.model.cursor.bar, int(playback.model.cursor.phase)) == wanted[0]
        assert not playback.playing
        assert playback.stopped_by is condition


def test_it_stops_at_a_date_and_at_a_drawdown(playback: Playback) -> None:
    facts, equity = playback.model.facts, playback.model.store.equity.rows["equity"]
    playback.rules, playback.speed = [PauseRule(Condition.DATE, float(facts.time_ns(321)))], 1e9
    playback.play()
    playback.advance(1.0)
    assert playback.model.cursor == Cursor(321, Phase.OPEN)
    playback.restart()
    playback.rules = [PauseRule(Condition.DRAWDOWN, 0.002)]
    playback.play()
    playback.advance(1.0)
    peak, expected = facts.initial_cash, -1
    for bar, value in enumerate(equity):
        peak = max(peak, value)
        if 1 - value / peak > 0.002:
            expected = bar
            break
    assert playback.model.cursor == Cursor(expected, Phase.CLOSE)


def test_steps_by_trade_visit_every_begin_and_end_both_ways(playback: Playback) -> None:
    events = playback.model.store.events.rows
    kinds = (EventKind.TRADE_OPENED, EventKind.TRADE_CLOSED)
    places = sorted({(int(e["bar"]), int(e["phase"])) for e in events if e["kind"] in kinds})
    there = []
    while playback.step_trade(1):
        there.append((playback.model.cursor.bar, int(playback.model.cursor.phase)))
    assert there == places
    back = [there[-1]]
    while playback.step_trade(-1):
        back.append((playback.model.cursor.bar, int(playback.model.cursor.phase)))
    assert back == places[::-1]


def test_it_stops_at_a_margin_call() -> None:
    """S7.2: one contract with hardly more than its margin, bought by hand."""
    config = config_of("sample", "end=2024-09-03", "initial_cash=12100").with_part("bot", {"name": "Scripted"}, "bot")
    bought = {"type": "market", "symbol": "ES_SYN", "side": "buy", "qty": 1, "bar": 30, "phase": "OPEN"}
    model = model_of(config, {**bought, "source": "manual"})
    called = int(model.store.calls.rows["bar"][0])
    model.cursor_model.go(0, Phase.OPEN)
    playback = Playback(model)
    playback.rules, playback.speed = [PauseRule(Condition.MARGIN_CALL)], 1e9
    playback.play()
    playback.advance(1.0)
    assert playback.model.cursor == Cursor(called, Phase.CLOSE)
    assert playback.stopped_by is Condition.MARGIN_CALL

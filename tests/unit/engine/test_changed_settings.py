"""A setting that is changed by hand in mid-run holds from there on, in every drive, and is taken back with the run."""

import numpy as np
import pytest

from bots.catalog import make_bot
from engine.actions import Action
from engine.errors import ConfigError
from engine.preparing import engine_of, prepare
from engine.run import Drive, Run
from tests.app.runs import config_of

WIDER: Action = {"bar": 600, "phase": "CLOSE", "type": "setting", "part": "exit", "values": {"atr_multiple": 6}}
CAREFUL: Action = {"bar": 900, "phase": "OPEN", "type": "setting", "part": "bot", "values": {"risk_pct": 0.0002}}


def run_with(*interventions: Action, drive: Drive = "auto", **overrides: str) -> Run:
    config = config_of("sample", "end=2024-09-03", *(f"{key}={value}" for key, value in overrides.items()))
    run = Run(
        engine_of(config, prepare(config)), make_bot(config.bot, config.exit), drive=drive,
        interventions=interventions, snapshots=True,
    )  # fmt: skip
    run.complete()
    return run


def rows(run: Run) -> bytes:
    tables = run.engine.tables
    return tables.equity.tobytes() + tables.rows("fills").tobytes() + tables.rows("trades").tobytes()


def test_nothing_changes_before_the_change_and_something_after_it() -> None:
    plain, changed = run_with(), run_with(WIDER)
    first, second = (run.engine.tables.equity["equity"] for run in (plain, changed))
    assert np.array_equal(first[:601], second[:601])
    assert not np.array_equal(first, second)


def test_the_drives_leave_the_same_bytes() -> None:
    assert rows(run_with(WIDER, CAREFUL, drive="step")) == rows(run_with(WIDER, CAREFUL, drive="compiled"))


def test_going_back_takes_the_change_back_and_going_on_makes_it_again() -> None:
    run = run_with(WIDER, CAREFUL)
    whole = rows(run)
    for bar in (300, 700, 1000, 601):
        run.go_back(bar)
        multiple = float(run.engine.tables.account["atr_multiple"][0])
        assert multiple == (3.0 if bar <= 600 else 6.0)
        run.complete()
        assert rows(run) == whole


def test_a_change_after_a_while_equals_the_setting_from_the_start_where_nothing_was_held() -> None:
    """With no trade before the change, the run is the one that began with the setting."""
    early: Action = WIDER | {"bar": 0, "phase": "CLOSE"}
    assert rows(run_with(early)) == rows(run_with(**{"exit.atr_multiple": "6"}))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"values": {"atr_multiple": -1}}, "-1 is not > 0"),
        ({"values": {"atr_multipel": 2}}, "unknown key; the nearest is atr_multiple"),
        ({"part": "broker"}, "a setting needs part"),
        ({"values": 3}, "a setting needs part"),
    ],
)
def test_a_wrong_change_is_refused_when_it_is_recorded(change: dict[str, object], told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        run_with({**WIDER, **change})

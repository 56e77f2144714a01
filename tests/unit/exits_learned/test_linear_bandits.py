"""LinUCB and hybrids: the arithmetic, what is learned when, what is kept, and what is refused."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bots.coin_flip import CoinFlipBot
from data.errors import ModelError
from engine.kernel.learned import G_TRIAL, LINEAR, WORK_ROW, WORK_ROWS, arm_words
from engine.run import Run
from exits.bandit_overlay import LinUCBExit
from exits.hybrid import HybridExit
from research.learning.entries import Entries
from research.learning.learners import LinearBandit
from tests.learn import grounds


def prepared(**settings: Any) -> LinUCBExit:
    """A learner before its first bar."""
    exit = LinUCBExit(LinUCBExit.Settings(**settings))
    Run(grounds.engine(grounds.market(5, sessions=1)), CoinFlipBot(exit=exit))
    return exit


def teach(exit: LinUCBExit, arm: int, x: np.ndarray, reward: float, prior: float = 0.0) -> None:
    from engine.kernel.bandit import teach as kernel

    numbers, told = np.ascontiguousarray(x, np.float64), np.array([reward, prior])
    kernel(exit.record.ctypes.data, 0, arm, numbers.ctypes.data, told.ctypes.data)


def theta(learner: Any, arm: int) -> np.ndarray:
    return inverse(learner, arm) @ state_of(learner, "state")[0, arm, : inverse(learner, arm).shape[0]]


def inverse(learner: Any, arm: int) -> np.ndarray:
    kept = state_of(learner, "inverse")[0]
    return kept[arm if len(kept) > 1 else 0]


def state_of(learner: Any, name: str) -> np.ndarray:
    return learner.state[name] if isinstance(learner, LinUCBExit) else getattr(learner, name)


def run_of(exit: Any, drive: Any = "compiled", seed: int = 5, sessions: int = 4, **bot: Any) -> Run:
    account = grounds.engine(grounds.market(seed, sessions=sessions))
    run = Run(account, CoinFlipBot(CoinFlipBot.Settings(risk_pct=0.001, **bot), exit), drive=drive)
    assert run.complete() == "completed", run.error
    return run


def test_two_observations_worked_by_hand() -> None:
    """One constant, ridge 1: after R = 2 and R = 4, A = 3, b = 6, theta = 2; the width of x = 1 is 1 / sqrt(3)."""
    exit = prepared(ridge=1.0, feedback="bandit")
    x = np.zeros(LINEAR)
    x[0] = 1.0
    teach(exit, 2, x, 2.0)
    teach(exit, 2, x, 4.0)

    assert theta(exit, 2)[0] == pytest.approx(2.0, abs=1e-15)
    assert inverse(exit, 2)[0, 0] == pytest.approx(1 / 3, abs=1e-15)
    assert inverse(exit, 2)[1, 1] == 1.0
    assert (theta(exit, 0) == 0.0).all()


def test_the_rank_one_updates_are_the_inverse() -> None:
    exit, rng = prepared(ridge=0.7, feedback="bandit"), np.random.default_rng(3)
    numbers, rewards = rng.standard_normal((300, LINEAR)), rng.standard_normal(300)
    for x, reward in zip(numbers, rewards, strict=True):
        teach(exit, 1, x, reward)

    matrix = 0.7 * np.eye(LINEAR) + numbers.T @ numbers
    np.testing.assert_allclose(inverse(exit, 1), np.linalg.inv(matrix), rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(theta(exit, 1), np.linalg.solve(matrix, numbers.T @ rewards), rtol=1e-9)


def test_values_are_those_of_mabwiser() -> None:
    """An independent LinUCB: same contexts, decisions and rewards, same upper confidence values."""
    mab = pytest.importorskip("mabwiser.mab")
    rng, alpha, arms = np.random.default_rng(7), 0.8, 6
    x, rewards, chosen = rng.standard_normal((200, LINEAR)), rng.standard_normal(200), rng.integers(arms, size=200)
    x[:, 0] = 1.0
    exit = prepared(ridge=1.0, alpha=alpha, feedback="bandit")
    for row, reward, arm in zip(x, rewards, chosen, strict=True):
        teach(exit, int(arm), row, float(reward))
    theirs = mab.MAB(list(range(arms)), mab.LearningPolicy.LinUCB(alpha=alpha, l2_lambda=1.0))
    theirs.fit(chosen.tolist(), rewards.tolist(), x.tolist())

    now = rng.standard_normal((20, LINEAR))
    expected = np.array([[values[arm] for arm in range(arms)] for values in theirs.predict_expectations(now.tolist())])

    ours = np.array(
        [[theta(exit, a) @ row + alpha * np.sqrt(row @ inverse(exit, a) @ row) for a in range(arms)] for row in now]
    )
    np.testing.assert_allclose(ours, expected, rtol=1e-9)


def test_with_replay_one_inverse_serves_all_arms_and_values_are_those_of_mabwiser() -> None:
    """All arms see every entry: mabwiser is told of each entry once per arm, with R less the mean of the arms."""
    mab = pytest.importorskip("mabwiser.mab")
    lesson = grounds.lesson(11, sessions=3)
    entries = lesson.entries.take(~lesson.entries.censored).take(np.arange(300))
    bandit = LinearBandit(1, 6, 3)
    bandit.walk(replace(entries, time_ns=entries.time_ns + 10**18))  # all are over when the first is decided
    now = entries.x[:, :8]
    x = np.column_stack((np.ones(300), now, np.abs(now[:, 1:5])))
    targets = entries.r - entries.r.mean(axis=1, keepdims=True)
    theirs = mab.MAB(list(range(6)), mab.LearningPolicy.LinUCB(alpha=0.5, l2_lambda=1.0))
    theirs.fit(np.tile(np.arange(6), 300).tolist(), targets.ravel().tolist(), np.repeat(x, 6, axis=0).tolist())
    found = theirs.predict_expectations(x[:20].tolist())
    expected = np.array([[values[arm] for arm in range(6)] for values in found])

    ours = np.array(
        [[theta(bandit, a) @ row + 0.5 * np.sqrt(row @ inverse(bandit, a) @ row) for a in range(6)] for row in x[:20]]
    )
    assert bandit.inverse.shape == (1, 1, LINEAR, LINEAR)
    assert (bandit.state[0, :, LINEAR] == 300).all()
    assert (bandit.inverse[0, 0] == bandit.inverse[0, 0].T).all()
    np.testing.assert_allclose(ours, expected, rtol=1e-8, atol=1e-12)


@pytest.mark.rule("S7.5")
def test_every_multiple_learns_from_every_trade_that_all_of_them_have_left() -> None:
    run = run_of(LinUCBExit())
    exit: Any = run.bot.exit
    exit.learn_until(len(run.engine.market))
    counts = [one.learned for one in exit.figures()]
    trades = run.engine.tables.count("trades")

    assert len(set(counts)) == 1
    assert trades - 10 <= counts[0] <= trades


@pytest.mark.rule("S7.5")
def test_bandit_feedback_teaches_the_multiple_that_was_served_alone() -> None:
    run = run_of(LinUCBExit(LinUCBExit.Settings(feedback="bandit")))
    exit: Any = run.bot.exit
    exit.learn_until(len(run.engine.market))
    figures = exit.figures()

    assert len({one.learned for one in figures}) > 1
    assert all(one.served - 1 <= one.learned <= one.served for one in figures)


@pytest.mark.rule("S12.3")
def test_the_replayed_r_of_the_multiple_served_is_the_trades_own() -> None:
    """The sum of R that the served arms learned with bandit feedback is the sum over the trades."""
    run = run_of(LinUCBExit(LinUCBExit.Settings(feedback="bandit")))
    exit: Any = run.bot.exit
    exit.learn_until(len(run.engine.market))
    trades = run.engine.tables.rows("trades")
    choices = run.engine.tables.rows("choices")
    sums = exit.state["state"][0, :, LINEAR + 1]

    by_arm = np.zeros(6)
    for arm, r in zip(choices["arm"], trades["r_multiple"], strict=False):
        by_arm[arm] += r
    np.testing.assert_allclose(sums, by_arm, atol=1e-9)


@pytest.mark.rule("S15")
def test_nothing_is_learned_before_the_last_arm_has_left() -> None:
    """Cut the run at any bar: what has been learned by then does not change when the future does."""
    exit: Any = LinUCBExit()
    run = Run(grounds.engine(grounds.market(5, sessions=3)), CoinFlipBot(exit=exit), drive="compiled")
    run.advance(2500)
    exit.learn_until(2500)
    ends = exit.state["seats"]["own"]["exit_bar"]
    active = exit.state["pendings"]["active"] == 1

    assert (exit.state["seats"]["own"]["bar"][active] <= 2500).all()
    assert (ends[~active] < 2500).all()
    assert ((exit.state["seats"]["own"]["done"] == 0).any(axis=2)[active]).all()


def test_nothing_learned_serves_the_fixed_multiple() -> None:
    run = run_of(LinUCBExit(LinUCBExit.Settings(fixed_multiple=2.0)), enable_online_learning=False)

    assert set(run.engine.tables.rows("choices")["multiple"]) == {2.0}


def test_the_gate_serves_the_fixed_multiple_until_the_advantage_is_sure() -> None:
    run = run_of(LinUCBExit(LinUCBExit.Settings(gate=True, gate_trades=100, fixed_multiple=4.0)), sessions=30)
    choices = run.engine.tables.rows("choices")
    shut = choices["gated"] == 1

    assert shut[:90].all()
    assert np.mean(~shut) > 0.2
    assert (choices["multiple"][shut] == 4.0).all()
    assert (choices["arm"][~shut] == choices["proposed"][~shut]).all()


def test_the_gate_stays_shut_where_nothing_can_be_gained() -> None:
    account = grounds.engine(grounds.market(5, sessions=10, hidden=False))
    exit = LinUCBExit(LinUCBExit.Settings(gate=True, fixed_multiple=3.0))
    run = Run(account, CoinFlipBot(CoinFlipBot.Settings(risk_pct=0.001), exit), drive="compiled")
    run.complete()
    choices = account.tables.rows("choices")

    assert (choices["gated"] == 1).mean() > 0.9


def one_after_another(count: int, overlapping: int = 1) -> Entries:
    """Entries of which the first multiple gains 1 R and all others lose 1, the next one when the last is over."""
    lesson = grounds.lesson(11, sessions=3)
    entries = lesson.entries.take(np.repeat(np.arange(count), overlapping))
    begun = np.repeat(10 * np.arange(count), overlapping)
    r = np.full((count * overlapping, 6), -1.0)
    r[:, 0] = 1.0
    return replace(entries, time_ns=begun, end_ns=begun + 10, r=r)


def bad_prior(entries: Entries) -> np.ndarray:
    """A network that is sure of the widest multiple."""
    said = np.full(entries.r.shape, -1.0)
    said[:, 5] = 1.0
    return said


@pytest.mark.parametrize("overlapping", [1, 3])
def test_a_correction_serves_once_it_has_gained_in_twenty_trades_of_which_none_overlap(overlapping: int) -> None:
    """Every trade that counts gains 2 R or, before the correction differs, nothing; the bound rises above zero."""
    entries = one_after_another(60, overlapping)
    bandit = LinearBandit(1, 6, 2, with_prior=True)

    chosen = bandit.walk(entries, bad_prior(entries))[::overlapping]
    count, mean, spread = bandit.gate[0, G_TRIAL:]
    turned = int(np.argmax(chosen == 0))

    assert count == 59  # the last one is not over when the last decision is made
    assert 20 <= turned < 40
    assert (chosen[:turned] == 5).all()
    assert (chosen[turned:] == 0).all()
    corrected = round(mean * count / 2)
    assert mean * count == pytest.approx(2.0 * corrected)
    assert spread == pytest.approx(corrected * (2.0 - mean) ** 2 + (count - corrected) * mean**2)


def test_a_trade_counts_for_the_trial_by_when_it_begins_not_by_how_short_it_is() -> None:
    """The long one begins first and is the one that judges; the short ones beside it end before it and do not."""
    entries = one_after_another(40, 2)
    ends = entries.time_ns + 35
    ends[1::2] = entries.time_ns[1::2] + 1
    entries = replace(entries, end_ns=ends)
    bandit = LinearBandit(1, 6, 2, with_prior=True)
    bandit.walk(entries, bad_prior(entries))

    assert bandit.gate[0, G_TRIAL] == 9  # begun at 0, 40, 80 ... 320, each over 35 later


def test_a_correction_on_trial_serves_what_the_network_says_and_the_journal_tells_so() -> None:
    kept = run_of(HybridExit(HybridExit.Settings(trial_trades=10**6)))
    alone = run_of(HybridExit(), enable_online_learning=False)
    free = run_of(HybridExit(HybridExit.Settings(trial=False)))
    rows = [one.engine.tables.rows("choices") for one in (kept, alone, free)]

    assert kept.bot.exit.state["gate"][0, G_TRIAL] > 50  # type: ignore[attr-defined]
    for name in ("arm", "proposed", "multiple", "v0", "v5"):
        assert rows[0][name].tobytes() == rows[1][name].tobytes()
    assert (rows[0]["width"] == 0.0).all()
    assert rows[2]["arm"].tobytes() != rows[1]["arm"].tobytes()
    assert "the correction gained" in kept.bot.exit.summary()[1]  # type: ignore[attr-defined]
    assert "on trial" in kept.bot.exit.summary()[1]  # type: ignore[attr-defined]
    assert "the correction" not in free.bot.exit.summary()[1]  # type: ignore[attr-defined]


def test_with_bandit_feedback_nothing_is_on_trial() -> None:
    """What the prior's multiple would have come to is not known then."""
    run = run_of(HybridExit(HybridExit.Settings(feedback="bandit")))

    assert run.bot.exit.state["gate"][0, G_TRIAL] == 0.0  # type: ignore[attr-defined]
    assert run.bot.exit.record[0]["trial"] == 0  # type: ignore[attr-defined]


@pytest.mark.rule("S14")
@pytest.mark.parametrize("made", [LinUCBExit, HybridExit])
def test_the_same_state_and_seed_give_the_same_state_and_choices(made: Any) -> None:
    first, second = run_of(made()), run_of(made())

    assert first.bot.exit.state["state"].tobytes() == second.bot.exit.state["state"].tobytes()  # type: ignore[attr-defined]
    assert first.engine.tables.rows("choices").tobytes() == second.engine.tables.rows("choices").tobytes()


def test_learning_in_small_steps_is_learning_at_once(tmp_path: Path) -> None:
    """A state folder makes it learn after every trade; without one it learns when a decision is due."""
    kept = run_of(LinUCBExit(LinUCBExit.Settings(state=tmp_path)), "step")
    lazy = run_of(LinUCBExit(), "compiled")
    last = len(kept.engine.market)
    for run in (kept, lazy):
        run.bot.exit.learn_until(last)  # type: ignore[attr-defined]

    assert kept.bot.exit.state["state"].tobytes() == lazy.bot.exit.state["state"].tobytes()  # type: ignore[attr-defined]
    assert kept.engine.tables.rows("choices").tobytes() == lazy.engine.tables.rows("choices").tobytes()


def test_a_state_is_gone_on_from_or_begun_fresh(tmp_path: Path) -> None:
    first: Any = run_of(LinUCBExit(LinUCBExit.Settings(state=tmp_path))).bot.exit
    again: Any = LinUCBExit(LinUCBExit.Settings(state=tmp_path))
    Run(grounds.engine(grounds.market(5, sessions=1)), CoinFlipBot(exit=again))
    fresh: Any = LinUCBExit(LinUCBExit.Settings(state=tmp_path, begin="fresh"))
    Run(grounds.engine(grounds.market(5, sessions=1)), CoinFlipBot(exit=fresh))

    assert first.state["gate"][0, 5] > 100
    assert [path.name for path in tmp_path.iterdir()] == ["A_SYN.npz"]
    assert again.state["state"].tobytes() == first.state["state"].tobytes()
    assert fresh.state["gate"].sum() == 0.0


@pytest.mark.parametrize(
    ("changes", "key"),
    [({"multiples": (1.0, 3.0)}, "multiples"), ({"r_unit": "atr"}, "r_unit")],
)
def test_a_state_that_was_learned_otherwise_is_refused_with_both_values(
    tmp_path: Path, changes: dict[str, Any], key: str
) -> None:
    run_of(LinUCBExit(LinUCBExit.Settings(state=tmp_path)), sessions=2)
    with pytest.raises(ModelError, match=f"was learned with {key} .* this run has"):
        run_of(LinUCBExit(LinUCBExit.Settings(state=tmp_path, **changes)))


def test_a_state_of_another_prior_or_a_damaged_one_is_refused(tmp_path: Path) -> None:
    run_of(LinUCBExit(LinUCBExit.Settings(state=tmp_path)), sessions=2)
    with pytest.raises(ModelError, match="was learned with prior 'none', this run has 'ppo:"):
        run_of(HybridExit(HybridExit.Settings(state=tmp_path)))
    (tmp_path / "A_SYN.npz").write_bytes(b"not a state")
    with pytest.raises(ModelError, match="is not a file of plain arrays"):
        run_of(LinUCBExit(LinUCBExit.Settings(state=tmp_path)))


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"fixed_multiple": 2.5}, r"fixed_multiple 2\.5 is none of"),
        ({"multiples": (0.0, 3.0)}, r"multiples \[0\.0, 3\.0\]: each must be above zero"),
        ({"multiples": (-1.0, 3.0)}, "each must be above zero"),
        ({"multiples": (3.0, 3.0)}, "and stand there once"),
        ({"state": Path(__file__)}, r"test_linear_bandits\.py is no folder; name one"),
        ({"gate": True, "feedback": "bandit"}, "the gate needs feedback: replay"),
        ({"multiples": (3.0,)}, "1 multiples; a learned exit chooses from 2 to 8"),
    ],
)
def test_settings_that_contradict_each_other_are_refused(settings: dict[str, Any], text: str) -> None:
    with pytest.raises(ModelError, match=text):
        prepared(**settings)


def test_what_was_learned_is_told_with_intervals() -> None:
    run = run_of(LinUCBExit())
    exit: Any = run.bot.exit
    lines = exit.summary()
    figures = exit.figures()

    assert sum(one.served for one in figures) == run.engine.tables.count("choices")
    assert all(one.low < one.mean_r < one.high for one in figures)
    assert lines[0].startswith("A_SYN: 1 x ATR served ")
    assert "advantage over 3 x ATR" in lines[1]


def test_an_entry_that_was_refused_is_not_counted_as_served() -> None:
    """300 of 10,000,000 at risk buy less than one lot where the stop is wide."""
    exit, account = LinUCBExit(), grounds.engine(grounds.market(5, sessions=2))
    run = Run(account, CoinFlipBot(CoinFlipBot.Settings(risk_pct=0.00003), exit))
    run.complete()
    orders = run.engine.tables.rows("choices")["order"]

    assert 0 < np.count_nonzero(orders) < len(orders)
    assert sum(one.served for one in exit.figures()) == np.count_nonzero(orders)


def test_the_state_has_the_words_its_arithmetic_needs() -> None:
    shared, each = prepared().state, prepared(feedback="bandit").state

    assert shared["state"].shape == each["state"].shape == (1, 6, arm_words(LINEAR))
    assert shared["inverse"].shape == (1, 1, LINEAR, LINEAR)
    assert each["inverse"].shape == (1, 6, LINEAR, LINEAR)
    assert prepared().tables["work"].shape == (WORK_ROWS, WORK_ROW)

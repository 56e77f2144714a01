"""The command that judges learned exits: paired with fixed multiples, walk-forward, with a random walk as control."""

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from bots.catalog import make_bot
from data.synthetic import MarketSettings, generate
from data.whole_files import replace_file
from engine.backtester import BacktesterEngine
from engine.errors import ConfigError
from engine.market import Market
from research.learning import learners
from research.learning.checkpoints import Notes, entries_identity
from research.learning.comparing import Gain, best_fixed, block_mean, chosen_r, r_per_bar
from research.learning.ending import exit_code
from research.learning.entries import Entries, Ground, joined
from research.learning.memory import MemorySettings
from research.learning.policy import PolicySettings
from research.learning.preparing import (
    Schooling,
    add_common_options,
    configuration,
    entries_asked_for,
    positive,
    prepared_for,
)
from research.learning.reporting import block_of
from research.learning.splits import DAY_NS, walk_forward

LEARNERS = ("ppo", "lstm", "linucb", "hybrid")


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What one learner came to over all folds.

    Attributes:
        against_train: gain over the multiple that was best where each fold learned; against_hindsight: over the one
            that was best where it was judged, which nobody could know.
        r_per_bar, fixed_r_per_bar: R per bar held, of the learner and of the fixed multiples.
    """

    learner: str
    against_train: Gain
    against_hindsight: Gain
    r_per_bar: float
    fixed_r_per_bar: float


def parser() -> argparse.ArgumentParser:
    """The command line."""
    made = argparse.ArgumentParser(
        prog="python research/evaluate_exits.py",
        description="Judge learned exits out of sample: walk-forward, against fixed multiples, and on a random walk.",
    )
    add_common_options(made)
    made.add_argument("--learners", nargs="+", choices=LEARNERS, default=list(LEARNERS), help="which (default all)")
    made.add_argument("--folds", type=positive, default=3, help="judging parts, one behind the other (default 3)")
    made.add_argument("--frames", type=positive, default=PolicySettings().frames, help="of each policy's training")
    made.add_argument(
        "--epochs", type=positive, default=MemorySettings().epochs, help="of each sequence network's training"
    )
    made.add_argument("--no-control", dest="control", action="store_false", help="leave out the random walk")
    made.add_argument("--out", type=Path, metavar="FILE", help="write the page there, as Markdown")
    made.add_argument("--resume", action="store_true", help="take over what an interrupted run left beside --out")
    made.add_argument("--quiet", action="store_true", help="no progress bar")
    return made


def main(arguments: Sequence[str]) -> int:
    """Judge; returns the exit code. Ctrl-C keeps the folds that are done, where ``--out`` is given."""
    given = parser().parse_args(arguments)
    kept = "; --resume takes over the folds that are done" if given.out is not None else ""
    return exit_code(lambda: _judge(given), given.out, kept)


def _judge(given: argparse.Namespace) -> bool:
    """Make the page and print it; with ``--out`` its folder is made first, so that no judgement is lost to it."""
    schooling = prepared_for(given, teaching=False)
    if given.out is not None:
        given.out.parent.mkdir(parents=True, exist_ok=True)
    notes = notes_of(given, schooling)
    page = page_of(given, schooling, notes)
    print(page)
    if given.out is not None:
        replace_file(given.out, page.encode())
        notes.forget()
    return True


def needs_torch(arguments: Sequence[str]) -> bool:
    """Whether a learner is asked for that trains a network."""
    return set(parser().parse_args(arguments).learners) != {"linucb"}


def notes_of(given: argparse.Namespace, schooling: Schooling) -> Notes:
    """Where done folds are noted: beside the page, for the same entries and options alone."""
    alike = {name: value for name, value in vars(given).items() if name not in ("out", "resume", "quiet", "learners")}
    identity = {"options": json.loads(json.dumps(alike, default=str)), **entries_identity(schooling.entries)}
    file = None if given.out is None else given.out.with_name(f"{given.out.name}.folds.npz")
    return Notes(file, identity, given.resume)


def page_of(given: argparse.Namespace, schooling: Schooling, notes: Notes) -> str:
    """The page: a table for the bars, and one for random walks with the same costs."""
    entries = schooling.entries
    parts = [
        f"## {Path(given.config).name}: {', '.join(given.symbols or entries.symbols)}",
        _told(given, entries),
        _table(judged(given, schooling.ground, entries, notes, "bars")),
    ]
    if given.control:
        ground, walked = control_of(given, schooling)
        bars = f"{len(ground.engine.market):,} bars"
        parts += [
            f"Control: fair random walks of {bars} with the same ticks and costs, where nothing can be gained.",
            _table(judged(given, ground, walked, notes, "control")),
        ]
    return "\n\n".join(parts) + "\n"


def _told(given: argparse.Namespace, entries: Entries) -> str:
    return (
        f"{len(entries):,} entries, {given.folds} folds, seed {given.seed}, R by {given.unit}; one configuration tried "
        "per learner."
    )


def _table(verdicts: list[Verdict]) -> str:
    head = (
        "| learner | trades judged | gain a trade over the best of the learning part | over the best in hindsight "
        "| R per bar held | fixed |"
    )
    rows = [
        f"| {one.learner} | {one.against_train.trades:,} | {one.against_train} | {one.against_hindsight} | "
        f"{one.r_per_bar:+.4f} | {one.fixed_r_per_bar:+.4f} |"
        for one in verdicts
    ]
    return "\n".join([head, "|---|---|---|---|---|---|", *rows])


def judged(given: argparse.Namespace, ground: Ground, entries: Entries, notes: Notes, part: str) -> list[Verdict]:
    """Every learner over all folds.

    Raises:
        ConfigError: where no fold has entries on both sides.
    """
    from tqdm import tqdm

    splits = walk_forward(entries, given.folds, embargo_ns=int(given.embargo * DAY_NS))
    folds = [(entries.take(split.train), entries.take(split.test)) for split in splits]
    whole = [(train, test) for train, test in folds if len(train) and len(test)]
    if not whole:
        raise ConfigError(
            f"{given.config}: none of {given.folds} folds of {len(entries):,} entries ({part}) leaves some to learn "
            "from and some to judge by; give more bars or fewer folds"
        )
    chosen: dict[str, list[learners.Arms]] = {learner: [] for learner in given.learners}
    tasks = [(learner, number) for learner in given.learners for number in range(len(whole))]
    for learner, number in tqdm(tasks, unit="fold", desc=part, disable=given.quiet):
        make = partial(_arms, given, ground, *whole[number], learner)
        chosen[learner].append(notes.recall(f"{part}/{learner}/{number}", make))
    return [_verdict(given, whole, learner, np.concatenate(arms)) for learner, arms in chosen.items()]


def _verdict(
    given: argparse.Namespace, folds: list[tuple[Entries, Entries]], learner: str, arms: learners.Arms
) -> Verdict:
    test = joined([test for _, test in folds])
    fixed = np.concatenate([np.full(len(test), best_fixed(train.r)) for train, test in folds])
    hindsight = np.full(len(test), best_fixed(test.r))
    gains = [
        block_mean(chosen_r(test, arms) - chosen_r(test, other), test.time_ns, block_ns=block_of(test), seed=given.seed)
        for other in (fixed, hindsight)
    ]
    return Verdict(
        learner=learner,
        against_train=gains[0],
        against_hindsight=gains[1],
        r_per_bar=r_per_bar(test, arms),
        fixed_r_per_bar=r_per_bar(test, fixed),
    )


def _arms(given: argparse.Namespace, ground: Ground, train: Entries, test: Entries, learner: str) -> learners.Arms:
    policy, memory = PolicySettings(frames=given.frames), MemorySettings(epochs=given.epochs, lookback=given.lookback)
    if learner == "linucb":
        return learners.linucb(ground, train, test, given.seed)
    if learner == "lstm":
        return learners.memory(memory)(ground, train, test, given.seed)
    outputs = learners.policy_outputs(policy, ground, train, test, given.seed)
    return outputs.argmax(axis=1) if learner == "ppo" else learners.hybrid(outputs, test, best_fixed(train.r))


def control_of(given: argparse.Namespace, schooling: Schooling) -> tuple[Ground, Entries]:
    """Fair walks in place of the bars: same ticks and costs, a session of minute bars for each week day, 4 to 60."""
    config, source = configuration(given), schooling.ground.engine.market
    series, instruments = [], []
    for one, facts in zip(source.series, source.instruments, strict=True):
        sessions = max(4, round((int(one.time_ns[-1]) - int(one.time_ns[0])) / DAY_NS * 5 / 7))
        atr = float(np.nanmedian(np.abs(np.diff(one.close)))) / facts.tick_size
        settings = MarketSettings(
            symbol=one.symbol,
            tick_size=facts.tick_size,
            sessions=min(sessions, 60),
            volatility_ticks=max(1.5, min(atr, 8.0)),
        )
        series.append(generate(settings, given.seed).series)
        instruments.append(replace(facts, calendar="CME_Equity_Index"))
    engine = BacktesterEngine(Market(instruments, series, seed=given.seed), config.simulation, seed=given.seed)
    ground = Ground(engine, make_bot(config.bot), given.multiples, given.unit, given.lookback)
    return ground, entries_asked_for(ground, given)

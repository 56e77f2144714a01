"""The command that trains a policy: arguments in, a model in the store out."""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from data.errors import TriphaseError
from research.learning.finishing import finish_model
from research.learning.policy import PolicySettings, train_policy
from research.learning.preparing import Schooling, add_common_options, prepared_for
from research.learning.reporting import said_of, store_options

DEFAULTS = PolicySettings()


def parser() -> argparse.ArgumentParser:
    """The command line."""
    made = argparse.ArgumentParser(
        prog="python research/train_ppo_stop_selector.py",
        description="Train a policy by PPO that chooses the ATR multiple of the trailing stop at the entry.",
    )
    add_common_options(made)
    store_options(made, "ppo")
    made.add_argument("--frames", type=int, default=DEFAULTS.frames, help=f"steps in all ({DEFAULTS.frames:,})")
    made.add_argument("--trades", type=int, default=DEFAULTS.trades, help="trades side by side")
    made.add_argument("--minibatch", type=int, default=DEFAULTS.minibatch, help="of an update; large ones are fast")
    made.add_argument("--rate", type=float, default=DEFAULTS.rate, help="learning rate at the start")
    made.add_argument("--entropy", type=float, default=DEFAULTS.entropy, help="bonus for staying undecided")
    made.add_argument(
        "--mode", choices=("trade", "bars", "every_bar"), default="trade", help="a step is a trade or a bar"
    )
    return made


def main(arguments: Sequence[str]) -> int:
    """Train; returns the exit code."""
    given = parser().parse_args(arguments)
    try:
        names = [None] if not given.per_symbol else list(_symbols(given))
        for symbol in names:
            _train(given, symbol)
    except TriphaseError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


def _symbols(given: argparse.Namespace) -> Sequence[str]:
    from research.learning.preparing import configuration

    return tuple(given.symbols or configuration(given).symbols)


def _train(given: argparse.Namespace, symbol: str | None) -> None:
    from tqdm import tqdm

    if symbol is not None:
        given = argparse.Namespace(**{**vars(given), "symbols": [symbol], "name": f"{given.name}-{symbol}"})
    schooling = prepared_for(given)
    settings = PolicySettings(
        frames=given.frames, trades=given.trades, minibatch=given.minibatch, rate=given.rate, entropy=given.entropy,
        mode=given.mode, device=given.device,
    )  # fmt: skip
    path = Path(given.out) / f"{given.name}.zip"
    path.parent.mkdir(parents=True, exist_ok=True)
    checkpoint = path.with_suffix(".checkpoint.pt")
    with tqdm(total=settings.frames, unit="frame", unit_scale=True, disable=given.quiet) as bar:

        def watch(done: int) -> bool:
            bar.update(done - bar.n)
            return True

        resume = checkpoint if given.resume and checkpoint.exists() else None
        done = train_policy(schooling.ground, schooling.train, settings, given.seed, path, watch, resume)
    _finish(given, schooling, settings, path, done)
    if done >= settings.frames:
        checkpoint.unlink(missing_ok=True)


def _finish(given: argparse.Namespace, schooling: Schooling, settings: PolicySettings, path: Path, done: int) -> None:
    facts = {**schooling.facts, "training": asdict(settings) | {"frames_done": done}}
    model = finish_model("ppo", path, schooling.ground, schooling.train, facts, given.seed)
    print(said_of(model, schooling, given.seed))
    if done < settings.frames:
        print(f"stopped after {done:,} of {settings.frames:,} frames; go on with --resume")

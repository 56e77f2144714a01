"""The command that trains a policy: arguments in, a model in the store out."""

import argparse
from collections.abc import Sequence
from dataclasses import asdict

from research.learning.policy import PolicySettings, train_policy
from research.learning.preparing import (
    above_zero,
    add_common_options,
    at_least,
    not_negative,
    positive,
    prepared_for,
)
from research.learning.reporting import finish, store_options
from research.learning.stopping import stop_asked
from research.learning.training import checked_device, is_trained, model_file, resume_from, train_each

DEFAULTS = PolicySettings()


def parser() -> argparse.ArgumentParser:
    """The command line."""
    made = argparse.ArgumentParser(
        prog="python research/train_ppo_stop_selector.py",
        description="Train a policy by PPO that chooses the ATR multiple of the trailing stop at the entry.",
    )
    add_common_options(made)
    store_options(made, "ppo")
    made.add_argument("--frames", type=positive, default=DEFAULTS.frames, help=f"steps in all ({DEFAULTS.frames:,})")
    made.add_argument("--trades", type=positive, default=DEFAULTS.trades, help="trades side by side")
    made.add_argument(
        "--minibatch", type=at_least(2), default=DEFAULTS.minibatch, help="of an update; large ones are fast"
    )
    made.add_argument("--rate", type=above_zero, default=DEFAULTS.rate, help="learning rate at the start")
    made.add_argument("--entropy", type=not_negative, default=DEFAULTS.entropy, help="bonus for staying undecided")
    made.add_argument(
        "--mode", choices=("trade", "bars", "every_bar"), default="trade", help="a step is a trade or a bar"
    )
    return made


def main(arguments: Sequence[str]) -> int:
    """Train; returns the exit code. Ctrl-C ends between two updates and keeps what is done."""
    return train_each(parser().parse_args(arguments), _train)


def _train(given: argparse.Namespace) -> bool:
    """Train one model; returns whether it was trained to the end."""
    from tqdm import tqdm

    schooling = prepared_for(given)
    settings = PolicySettings(
        frames=given.frames, trades=given.trades, minibatch=given.minibatch, rate=given.rate, entropy=given.entropy,
        mode=given.mode, device=given.device,
    )  # fmt: skip
    checked_device(given.device)
    path = model_file(given, ".zip")
    if is_trained(given, path, settings, schooling, "frames_done", settings.frames):
        return True
    resume = resume_from(given, path)
    with (
        stop_asked() as asked,
        tqdm(total=settings.frames, unit="frame", unit_scale=True, disable=given.quiet, desc=given.name) as bar,
    ):

        def watch(done: int) -> bool:
            bar.update(min(done, settings.frames) - bar.n)
            return not asked()

        done = train_policy(schooling.ground, schooling.train, settings, given.seed, path, watch, resume)
    facts = {**schooling.facts, "training": asdict(settings) | {"frames_done": done}}
    return finish("ppo", path, schooling, facts, given, (done, settings.frames, "frames"))

"""The command that trains a sequence network: arguments in, a model in the store out."""

import argparse
from collections.abc import Sequence
from dataclasses import asdict

from research.learning.memory import MemorySettings, batches_of, train_memory
from research.learning.preparing import above_zero, add_common_options, at_most, positive, prepared_for
from research.learning.reporting import finish, store_options
from research.learning.stopping import stop_asked
from research.learning.training import checked_device, is_trained, model_file, resume_from, train_each

DEFAULTS = MemorySettings()


def parser() -> argparse.ArgumentParser:
    """The command line."""
    made = argparse.ArgumentParser(
        prog="python research/train_lstm_sl_model.py",
        description="Train an LSTM over the last closed bars that predicts the R of every ATR multiple.",
    )
    add_common_options(made)
    store_options(made, "lstm")
    made.add_argument("--epochs", type=positive, default=DEFAULTS.epochs, help="passes over the learning part")
    made.add_argument("--batch", type=positive, default=DEFAULTS.batch, help="entries of a step")
    made.add_argument("--hidden", type=at_most(60), default=DEFAULTS.hidden, help="memory cells, up to 60")
    made.add_argument("--rate", type=above_zero, default=DEFAULTS.rate, help="learning rate at the start")
    made.add_argument(
        "--loss", choices=("mse", "expected"), default="mse", help="squared error on R, or expected R (default mse)"
    )
    return made


def main(arguments: Sequence[str]) -> int:
    """Train; returns the exit code. Ctrl-C ends between two batches and keeps what is done."""
    return train_each(parser().parse_args(arguments), _train)


def _train(given: argparse.Namespace) -> bool:
    """Train one model; returns whether it was trained to the end."""
    from tqdm import tqdm

    schooling = prepared_for(given)
    settings = MemorySettings(
        lookback=given.lookback, hidden=given.hidden, epochs=given.epochs, batch=given.batch, rate=given.rate,
        loss=given.loss, device=given.device,
    )  # fmt: skip
    checked_device(given.device)
    path = model_file(given, ".pt")
    train = schooling.train
    total = batches_of(len(train), settings)
    if is_trained(given, path, settings, schooling, "batches_done", total):
        return True
    resume = resume_from(given, path)
    with stop_asked() as asked, tqdm(total=total, unit="batch", disable=given.quiet, desc=given.name) as bar:

        def watch(done: int, loss: float) -> bool:
            bar.update(done - bar.n)
            bar.set_postfix(loss=f"{loss:.3f}", refresh=False)
            return not asked()

        done = train_memory(schooling.ground.features.sequence, train, settings, given.seed, path, watch, resume)
    facts = {**schooling.facts, "training": asdict(settings) | {"batches_done": done}}
    return finish("lstm", path, schooling, facts, given, (done, total, "batches"))

"""The command that trains a sequence network: arguments in, a model in the store out."""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from data.errors import TriphaseError
from research.learning.finishing import finish_model
from research.learning.memory import MemorySettings, batches_of, train_memory
from research.learning.preparing import Schooling, add_common_options, configuration, prepared_for
from research.learning.reporting import said_of, store_options

DEFAULTS = MemorySettings()


def parser() -> argparse.ArgumentParser:
    """The command line."""
    made = argparse.ArgumentParser(
        prog="python research/train_lstm_sl_model.py",
        description="Train an LSTM over the last closed bars that predicts the R of every ATR multiple.",
    )
    add_common_options(made)
    store_options(made, "lstm")
    made.add_argument("--epochs", type=int, default=DEFAULTS.epochs, help="passes over the learning part")
    made.add_argument("--batch", type=int, default=DEFAULTS.batch, help="entries of a step")
    made.add_argument("--hidden", type=int, default=DEFAULTS.hidden, help="memory cells, up to 60")
    made.add_argument("--rate", type=float, default=DEFAULTS.rate, help="learning rate at the start")
    made.add_argument(
        "--loss", choices=("mse", "expected"), default="mse", help="squared error on R, or expected R (default mse)"
    )
    return made


def main(arguments: Sequence[str]) -> int:
    """Train; returns the exit code."""
    given = parser().parse_args(arguments)
    try:
        names = [None] if not given.per_symbol else list(given.symbols or configuration(given).symbols)
        for symbol in names:
            _train(given, symbol)
    except TriphaseError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


def _train(given: argparse.Namespace, symbol: str | None) -> None:
    from tqdm import tqdm

    if symbol is not None:
        given = argparse.Namespace(**{**vars(given), "symbols": [symbol], "name": f"{given.name}-{symbol}"})
    schooling = prepared_for(given)
    settings = MemorySettings(
        lookback=given.lookback, hidden=given.hidden, epochs=given.epochs, batch=given.batch, rate=given.rate,
        loss=given.loss, device=given.device,
    )  # fmt: skip
    path = Path(given.out) / f"{given.name}.pt"
    path.parent.mkdir(parents=True, exist_ok=True)
    checkpoint = path.with_suffix(".checkpoint.pt")
    total, train = batches_of(len(schooling.train), settings), schooling.train
    with tqdm(total=total, unit="batch", disable=given.quiet) as bar:

        def watch(done: int, loss: float) -> bool:
            bar.update(done - bar.n)
            bar.set_postfix(loss=f"{loss:.3f}", refresh=False)
            return True

        resume = checkpoint if given.resume and checkpoint.exists() else None
        done = train_memory(schooling.ground.features.sequence, train, settings, given.seed, path, watch, resume)
    _finish(given, schooling, settings, path, done, total)
    if done >= total:
        checkpoint.unlink(missing_ok=True)


def _finish(
    given: argparse.Namespace, schooling: Schooling, settings: MemorySettings, path: Path, done: int, total: int
) -> None:
    facts = {**schooling.facts, "training": asdict(settings) | {"batches_done": done}}
    model = finish_model("lstm", path, schooling.ground, schooling.train, facts, given.seed)
    print(said_of(model, schooling, given.seed))
    if done < total:
        print(f"stopped after {done:,} of {total:,} batches; go on with --resume")

"""What the training commands say of a model: its gain on the part it has not seen."""

import argparse
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from models.store import FOLDER, Model
from research.learning.checkpoints import checkpoint_path
from research.learning.comparing import best_fixed, paired_gain
from research.learning.entries import Entries
from research.learning.finishing import Kind, finish_model, outputs_of
from research.learning.preparing import Schooling
from research.learning.splits import DAY_NS


def plain_name(text: str) -> str:
    """A name without folders, as an option's type."""
    if not text or Path(text).name != text:
        raise argparse.ArgumentTypeError(f"{text!r} is no plain name; folders belong to --out")
    return text


def device_name(text: str) -> str:
    """What torch may compute on, as an option's type."""
    if re.fullmatch(r"cpu|auto|cuda(:\d+)?", text) is None:
        raise argparse.ArgumentTypeError(f"{text!r} is none of cpu, cuda, cuda:0 and so on, auto")
    return text


def store_options(parser: argparse.ArgumentParser, name: str) -> None:
    """Options of the trainers."""
    parser.add_argument("--name", type=plain_name, default=name, help=f"name of the model (default {name})")
    parser.add_argument("--out", type=Path, default=FOLDER, metavar="FOLDER", help="folder of models (default models/)")
    parser.add_argument(
        "--device", type=device_name, default="cpu", help="cpu, cuda or auto (default cpu, and one thread of it)"
    )
    parser.add_argument("--per-symbol", action="store_true", help="one model per symbol, named after it")
    parser.add_argument("--resume", action="store_true", help="go on from the checkpoint that an interrupted run left")
    parser.add_argument("--quiet", action="store_true", help="no progress bar")


def block_of(entries: Entries) -> int:
    """Length of a bootstrap's blocks: a day, or a fortieth of the time where that is longer."""
    span = int(entries.time_ns[-1] - entries.time_ns[0])
    return max(DAY_NS, span // 40)


def said_of(model: Model, schooling: Schooling, seed: int) -> str:
    """A sentence with the gain over the fixed multiple that was best where it learned."""
    train, test = schooling.train, schooling.test
    fixed = best_fixed(train.r)
    arms = outputs_of(str(model.manifest["kind"]), model.arrays, schooling.ground, test).argmax(axis=1)
    gain = paired_gain(test, arms, fixed, block_ns=block_of(test), seed=seed)
    counts = np.bincount(arms, minlength=len(test.multiples))
    shares = ", ".join(
        f"{multiple:g}: {count / len(test):.0%}" for multiple, count in zip(test.multiples, counts, strict=True)
    )
    return (
        f"{model.path}: on {len(test):,} entries that it has not seen {gain} a trade against "
        f"{test.multiples[fixed]:g} x ATR, the best fixed multiple where it learned; chosen {shares}"
    )


def finish(
    kind: Kind,
    path: Path,
    schooling: Schooling,
    facts: Mapping[str, Any],
    given: argparse.Namespace,
    progress: tuple[int, int, str],
) -> bool:
    """Put what was trained into the store and tell its gain; returns whether it was trained to the end.

    ``progress``: done, of how many, of what. Nothing is put there before the first step.
    """
    done, total, what = progress
    if done:
        print(
            said_of(
                finish_model(kind, path, schooling.ground, schooling.train, facts, given.seed), schooling, given.seed
            )
        )
    else:
        path.unlink(missing_ok=True)
    if done < total:
        print(f"stopped after {done:,} of {total:,} {what}; go on with --resume")
        return False
    checkpoint_path(path).unlink(missing_ok=True)
    return True

"""What the training and evaluation commands have in common: which bars, which entries, which part of the time."""

import argparse
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bots.catalog import make_bot
from engine.config import BacktestConfig, load_config
from engine.errors import ConfigError
from engine.kernel.learned import MOST_ARMS
from engine.preparing import Prepared, engine_of, prepare
from research.learning.checkpoints import entries_identity
from research.learning.entries import MULTIPLES, Entries, Ground
from research.learning.splits import DAY_NS, Split, split_by_share

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Schooling:
    """Bars, entries and their split; ``facts`` for a manifest."""

    ground: Ground
    entries: Entries
    split: Split
    facts: Mapping[str, Any]

    @property
    def train(self) -> Entries:
        """The learning part."""
        return self.entries.take(self.split.train)

    @property
    def test(self) -> Entries:
        """The judging part."""
        return self.entries.take(self.split.test)


def positive(text: str) -> int:
    """A whole number from 1, as an option's type."""
    return at_least(1)(text)


def at_most(limit: int) -> Callable[[str], int]:
    """A whole number from 1 to ``limit``, as an option's type."""

    def number_to(text: str) -> int:
        number = positive(text)
        if number > limit:
            raise argparse.ArgumentTypeError(f"{text} is more than {limit}")
        return number

    return number_to


def at_least(limit: int) -> Callable[[str], int]:
    """A whole number from ``limit``, as an option's type."""

    def number_from(text: str) -> int:
        number = int(text)
        if number < limit:
            raise argparse.ArgumentTypeError(f"{text} is less than {limit}")
        return number

    return number_from


def share(text: str) -> float:
    """A share of the time between 0 and 1, both excluded, as an option's type."""
    number = float(text)
    if not 0.0 < number < 1.0:
        raise argparse.ArgumentTypeError(f"{text} does not lie between 0 and 1")
    return number


def not_negative(text: str) -> float:
    """A finite number from 0, as an option's type."""
    number = float(text)
    if not 0.0 <= number < math.inf:
        raise argparse.ArgumentTypeError(f"{text} is no number from 0 on")
    return number


def above_zero(text: str) -> float:
    """A finite number above 0, as an option's type."""
    number = not_negative(text)
    if number == 0.0:
        raise argparse.ArgumentTypeError(f"{text} is not above 0")
    return number


def add_common_options(parser: argparse.ArgumentParser) -> None:
    """Options of every command."""
    parser.add_argument(
        "--config", type=Path, default=ROOT / "configs/learning.yaml", metavar="FILE",
        help="bars, costs and the bot whose entries are learned from (default: configs/learning.yaml)",
    )  # fmt: skip
    parser.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", help="set a key of the configuration"
    )
    parser.add_argument("--symbols", nargs="+", metavar="SYMBOL", help="only these; by default all, pooled")
    parser.add_argument(
        "--multiples", type=float, nargs="+", default=list(MULTIPLES), metavar="K", help="multiples of the ATR, 2 to 8"
    )
    parser.add_argument("--unit", choices=("initial_stop", "atr"), default="initial_stop", help="what one R is")
    parser.add_argument("--stride", type=positive, default=1, metavar="N", help="every N-th entry (default 1)")
    parser.add_argument(
        "--lookback", type=positive, default=64, metavar="N", help="closed bars of a sequence (default 64)"
    )
    parser.add_argument("--share", type=share, default=0.7, help="share of the time to learn from (default 0.7)")
    parser.add_argument("--embargo", type=not_negative, default=1.0, metavar="DAYS", help="gap before the judging part")
    parser.add_argument("--seed", type=at_least(0), default=1, help="seed of everything random (default 1)")


def configuration(given: argparse.Namespace) -> BacktestConfig:
    """The configuration, with the options' changes.

    Raises:
        ConfigError: where a symbol is not in it.
    """
    config = load_config(given.config).with_overrides(tuple(given.set))
    for symbol in given.symbols or ():
        if symbol not in config.symbols:
            raise ConfigError(f"{given.config} has no symbol {symbol!r}; it has {', '.join(config.symbols)}")
    return config


def prepared_for(given: argparse.Namespace, teaching: bool = True) -> Schooling:
    """Load the bars, label the entries, and split them by time.

    Raises:
        ConfigError: where the multiples cannot be served, nothing is entered, or with ``teaching`` no entry is left on
            a side of the split.
        TriphaseError: where the bars cannot be used.
    """
    config = configuration(given)
    checked_multiples(given.multiples)
    loaded = prepare(config)
    ground = ground_of(config, loaded, given.multiples, given.unit, given.lookback)
    entries = entries_asked_for(ground, given)
    if not len(entries):
        raise ConfigError(
            f"{given.config}: the bot {config.bot.name} would enter nowhere in {len(loaded.market):,} bars with all "
            f"features known ({given.lookback} closed bars among them); give more bars"
        )
    split = split_by_share(entries, given.share, int(given.embargo * DAY_NS))
    learned, judged = int(split.train.sum()), int(split.test.sum())
    if teaching and not (learned and judged):
        raise ConfigError(
            f"{given.config}: of {len(entries):,} entries {learned:,} are left to learn from, {judged:,} to judge by "
            f"(--share {given.share:g}, --embargo {given.embargo:g} days); give more bars, or a smaller embargo"
        )
    return Schooling(ground=ground, entries=entries, split=split, facts=facts_of(config, loaded, entries, split, given))


def entries_asked_for(ground: Ground, given: argparse.Namespace) -> Entries:
    """The labelled entries of a ground, of the symbols that the options name."""
    entries = ground.entries(given.stride)
    if not given.symbols:
        return entries
    return entries.take(np.isin(entries.symbol, [entries.symbols.index(symbol) for symbol in given.symbols]))


def checked_multiples(multiples: list[float]) -> None:
    """Refuse what no learned exit could choose from.

    Raises:
        ConfigError: saying why.
    """
    if not 2 <= len(multiples) <= MOST_ARMS or len(set(multiples)) < len(multiples) or not min(multiples) > 0.0:
        raise ConfigError(
            f"--multiples {' '.join(f'{one:g}' for one in multiples)}: give 2 to {MOST_ARMS} different ones above 0"
        )


def ground_of(config: BacktestConfig, loaded: Prepared, multiples: list[float], unit: str, lookback: int) -> Ground:
    """The ground of a configuration."""
    return Ground(engine_of(config, loaded), make_bot(config.bot), multiples, unit, lookback)


def facts_of(
    config: BacktestConfig, loaded: Prepared, entries: Entries, split: Split, given: argparse.Namespace
) -> dict[str, Any]:
    """What a manifest tells of data, costs and splits."""
    return {
        "entries_of": {
            "bot": config.bot.name,
            "settings": dict(config.bot.settings),
            "stride": given.stride,
            "digest": entries_identity(entries)["entries"],
        },
        "data": {
            "digests": dict(loaded.digests),
            "first": _text(entries.time_ns[0]),
            "last": _text(entries.time_ns[-1]),
        },
        "costs": {
            facts.symbol: {
                "commission_per_contract": facts.commission_per_contract,
                "fee_per_trade": facts.fee_per_trade,
                "slippage_ticks": facts.slippage_ticks,
                "slippage_pct": facts.slippage_pct,
            }
            for facts in loaded.market.instruments
        },
        "split": {
            "judged_from": _text(split.begins_ns),
            "learned_from": int(split.train.sum()),
            "judged_on": int(split.test.sum()),
            "purged": split.purged,
            "embargo_days": given.embargo,
        },
    }


def _text(time_ns: Any) -> str:
    return str(np.datetime64(int(time_ns), "ns").astype("datetime64[s]"))

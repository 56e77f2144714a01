"""Bars of an invented market, and the hidden regimes they were made from: a function of settings and a seed alone.

Without drift every price is a martingale: steps are fair coins, gaps and jumps have zero mean and are symmetric, and
which bars are missing does not depend on direction. So an exit earns minus its costs, whatever it does; with regimes
it can earn more, and by how much is known. Each purpose draws from its own Philox stream, keyed by seed and symbol.
"""

import hashlib
from dataclasses import dataclass
from decimal import Decimal
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from data.series import BarSeries
from data.synthetic.hours import session_days, session_open_ns, volatility_curve, volume_curve
from data.synthetic.settings import DAY_MINUTES, MINUTE_NS, MarketSettings, Regime

SOURCE = "SYNTHETIC"
_VOLUME_SHAPE = 1.2  # of the gamma distribution that volume's mean is drawn from: heavy tail, some bars without trade
_PERSISTENCE = 0.5  # how much of the log of a session's volatility stays for the next

Floats = NDArray[np.float64]


class _Stream(IntEnum):
    """What a stream of random numbers is for; a new purpose takes a new number."""

    REGIMES = 0
    VOLATILITY = 1
    LEAPS = 2
    VOLUME = 3
    STEPS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class SyntheticMarket:
    """Bars and what nobody in that market can see; arrays have the length of ``series``.

    Attributes:
        series: the bars; ``source`` says SYNTHETIC.
        regime: int8, index into ``regimes``.
        drift: the signed expected move in sigma that the regime gives the bar (without reversion).
        regimes: the settings' regimes.
    """

    series: BarSeries
    regime: NDArray[np.int8]
    drift: Floats
    regimes: tuple[Regime, ...]


@dataclass(frozen=True, slots=True)
class _Hidden:
    """Hidden state of every bar, missing ones included."""

    regime: NDArray[np.int8]
    starts: NDArray[np.bool_]
    drift: Floats


def generate(settings: MarketSettings, seed: int) -> SyntheticMarket:
    """Make the market. Same settings and seed, same bytes.

    The work is proportional to bars x volatility_ticks squared: some 0.1 s for a million bars of 3 ticks.
    """
    per_day = DAY_MINUTES * MINUTE_NS // settings.bar_ns
    bars = per_day * settings.sessions
    hidden = _hidden_states(settings, bars, _generator(settings, seed, _Stream.REGIMES))
    variance = _variance(settings, per_day, hidden, _generator(settings, seed, _Stream.VOLATILITY))
    volume = _volume(settings, per_day, hidden, _generator(settings, seed, _Stream.VOLUME))
    leaps = _leaps(settings, per_day, _generator(settings, seed, _Stream.LEAPS))
    ticks = _prices(settings, per_day, hidden, variance, volume > 0, leaps, seed)
    return _assembled(settings, seed, per_day, ticks, volume, hidden)


def generate_many(settings: tuple[MarketSettings, ...], seed: int) -> dict[str, SyntheticMarket]:
    """Several markets by symbol, independent of each other and of their order."""
    return {each.symbol: generate(each, seed) for each in settings}


def _generator(settings: MarketSettings, seed: int, stream: _Stream) -> np.random.Generator:
    sequence = np.random.SeedSequence(entropy=seed, spawn_key=(*settings.symbol.encode(), 256 + stream))
    return np.random.Generator(np.random.Philox(sequence))


def _hidden_states(settings: MarketSettings, bars: int, rng: np.random.Generator) -> _Hidden:
    """Stays of geometric length, each in another regime than the one before, directions within them."""
    regime, starts, drift = np.zeros(bars, np.int8), np.zeros(bars, np.bool_), np.zeros(bars)
    count = len(settings.regimes)
    current, at = int(rng.integers(count)), 0
    while at < bars:
        kind = settings.regimes[current]
        stay = bars if count == 1 else int(rng.geometric(1.0 / kind.mean_bars))
        end = min(at + stay, bars)
        regime[at:end], starts[at] = current, True
        drift[at:end] = kind.drift * _directions(kind, end - at, rng)
        current = (current + 1 + int(rng.integers(max(count - 1, 1)))) % count
        at = end
    return _Hidden(regime, starts, drift)


def _directions(kind: Regime, bars: int, rng: np.random.Generator) -> Floats:
    """+1 or -1 per bar: the first by a fair coin, then turned at the end of each leg."""
    first = 1.0 if rng.random() < 0.5 else -1.0
    if kind.leg_bars is None:
        return np.full(bars, first)
    turns = rng.random(bars) < 1.0 / kind.leg_bars
    return np.asarray(np.where(np.cumsum(turns) % 2 == 0, first, -first))


def _factors(settings: MarketSettings, hidden: _Hidden, name: str) -> Floats:
    return np.array([getattr(kind, name) for kind in settings.regimes], np.float64)[hidden.regime]


def _variance(settings: MarketSettings, per_day: int, hidden: _Hidden, rng: np.random.Generator) -> Floats:
    """Variance of every bar's move in ticks squared: hours of the day, a level per session, the regime."""
    level = np.empty(settings.sessions)
    last = 0.0
    for day, shock in enumerate(rng.standard_normal(settings.sessions)):
        last = _PERSISTENCE * last + np.sqrt(1.0 - _PERSISTENCE**2) * settings.volatility_spread * shock
        level[day] = last
    scale = np.exp(level - settings.volatility_spread**2)  # so that the mean of its square is 1
    curve = volatility_curve(per_day) if settings.seasonal else np.ones(per_day)
    sigma = np.outer(scale, curve).ravel() * settings.volatility_ticks * _factors(settings, hidden, "volatility")
    return np.asarray(sigma**2)


def _volume(settings: MarketSettings, per_day: int, hidden: _Hidden, rng: np.random.Generator) -> NDArray[np.int64]:
    """Volume of every bar; 0 where nothing trades."""
    curve = volume_curve(per_day) if settings.seasonal else np.ones(per_day)
    mean = np.tile(curve, settings.sessions) * settings.mean_volume * _factors(settings, hidden, "volume")
    return np.asarray(rng.poisson(mean * rng.gamma(_VOLUME_SHAPE, 1.0 / _VOLUME_SHAPE, len(mean))))


def _leaps(settings: MarketSettings, per_day: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Moves before a bar's open, in whole ticks, symmetric: gaps between sessions, and jumps."""
    bars = per_day * settings.sessions
    size = np.where(rng.random(bars) < settings.jump_chance, settings.jump_size, 0.0)
    size[::per_day] = settings.overnight_gap
    size[0] = 0.0
    return np.rint(rng.standard_normal(bars) * size * settings.volatility_ticks).astype(np.int64)


def _prices(
    settings: MarketSettings,
    per_day: int,
    hidden: _Hidden,
    variance: Floats,
    trades: NDArray[np.bool_],
    leaps: NDArray[np.int64],
    seed: int,
) -> NDArray[np.int64]:
    """Open, high, low, close of every bar in ticks, [bars, 4]; a session at a time, to bound memory."""
    from data.synthetic.walk import walk

    rng = _generator(settings, seed, _Stream.STEPS)
    reversion = _factors(settings, hidden, "reversion")
    start = round(settings.start_price / settings.tick_size)
    state = np.array([start, start], np.int64)
    out = np.empty((len(variance), 4), np.int64)
    for first in range(0, len(variance), per_day):
        part = slice(first, first + per_day)
        steps = np.where(trades[part], rng.poisson(variance[part]), 0)
        opening = rng.random(per_day) < settings.opening_step
        coins = rng.random(int(steps.sum()), dtype=np.float32)
        walk(
            state,
            steps,
            variance[part],
            hidden.drift[part],
            reversion[part],
            hidden.starts[part],
            leaps[part],
            opening,
            coins,
            out[part],
        )
    return out


def _assembled(
    settings: MarketSettings,
    seed: int,
    per_day: int,
    ticks: NDArray[np.int64],
    volume: NDArray[np.int64],
    hidden: _Hidden,
) -> SyntheticMarket:
    """The bars that traded, in prices."""
    opens = [session_open_ns(day) for day in session_days(settings.first_day, settings.sessions)]
    within = np.arange(per_day, dtype=np.int64) * settings.bar_ns
    traded = volume > 0
    time_ns = (np.array(opens, np.int64)[:, None] + within).ravel()[traded]
    prices = [_in_price(ticks[traded, column], settings.tick_size) for column in range(4)]
    series = BarSeries(
        symbol=settings.symbol,
        time_ns=time_ns,
        open=prices[0],
        high=prices[1],
        low=prices[2],
        close=prices[3],
        volume=volume[traded].astype(np.float64),
        bar_ns=settings.bar_ns,
        source=SOURCE,
        digest=_digest(settings, seed, time_ns, *prices),
    )
    return SyntheticMarket(
        series=series, regime=hidden.regime[traded], drift=hidden.drift[traded], regimes=settings.regimes
    )


def _in_price(ticks: NDArray[np.int64], tick_size: float) -> Floats:
    """Ticks as prices: the floating-point number nearest to the decimal price, as a file would give it."""
    places = max(-int(Decimal(repr(tick_size)).as_tuple().exponent), 0)
    unit = round(tick_size * 10**places)
    return np.asarray(ticks * unit / 10**places, np.float64)


def _digest(settings: MarketSettings, seed: int, *arrays: NDArray[np.generic]) -> str:
    digest = hashlib.sha256(f"{SOURCE}|{settings!r}|{seed}".encode())
    for array in arrays:
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()

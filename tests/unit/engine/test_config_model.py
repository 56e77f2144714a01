"""Configurations in memory: defaults, inheritance, hash, ranges, what is refused."""

import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.config import BacktestConfig
from engine.config.sections import SimulationSection
from engine.errors import ConfigError
from engine.settings import Settings, setting

HOUR = 3_600_000_000_000
DAY = 24 * HOUR


def config(**keys: Any) -> BacktestConfig:
    return BacktestConfig(**({"assets": [{"symbol": "ES", "file": "es.csv"}]} | keys))


def refusal(**keys: Any) -> str:
    with pytest.raises(ConfigError) as caught:
        config(**keys)
    return str(caught.value)


@pytest.mark.rule("S18")
def test_the_defaults_are_those_of_the_rulebook() -> None:
    """S18."""
    made = config()

    assert made.simulation == SimulationSection()
    assert (made.initial_cash, made.currency, made.seed, made.data.repair) == (100_000, "USD", 0, None)
    assert (made.bot.name, made.exit.name, made.bot.settings) == ("TrendFollowing", "TrailingATR", {})


@pytest.mark.parametrize(
    ("keys", "text"),
    [
        ({"assets": []}, "assets: the list is empty; give at least one asset with symbol and file"),
        ({"initial_cash": 0}, "initial_cash: 0 is not > 0"),
        ({"initial_cash": "100000"}, 'initial_cash: "100000" is not a number; write it without quotes'),
        ({"intial_cash": 5}, "intial_cash: unknown key; the nearest is initial_cash"),
        ({"limit_fill": "touch"}, "limit_fill: unknown key; it belongs to simulation"),
        ({"simulation": {"path": "wurst_case"}}, "the nearest is worst_case"),
        ({"simulation": []}, "simulation: [] is not a mapping of keys to values"),
        ({"assets": [{"file": "x.csv"}]}, "assets[0].symbol: is missing; it has no default"),
        ({"assets": [{"symbol": 700}]}, "assets[0].symbol: 700 is not text; put it in quotes"),
        ({"assets": [{"symbol": "A/B"}]}, 'assets[0].symbol: "A/B" is not a symbol'),
        ({"assets": {"symbol": "ES"}}, "assets: {'symbol': 'ES'} is not a list"),
        ({"assets": [{"symbol": "ES"}, {"symbol": "ES"}]}, 'assets[1].symbol: "ES" stands at assets[0] too'),
        ({"assets": [{"symbol": "E", "initial_margin": -1}]}, "assets[0].initial_margin: -1 is not >= 0"),
        ({"assets": [{"symbol": "E", "tick_size": 0}]}, "assets[0].tick_size: 0 is not > 0"),
        ({"start": "2024-02-01", "end": "2024-01-31"}, "end: 2024-01-31 is not after start, 2024-02-01"),
        ({"start": "soon"}, 'start: "soon" is not a date or time; write 2024-03-08 or 2024-03-08T14:30:00-05:00'),
        ({"start": 20240101}, "start: 20240101 is not a date or time"),
        ({"bar": "5min"}, 'bar: "5min" is not a bar length; write a number and s, m, h or d, such as 1m, 5m, 1h, 1d'),
        ({"bar": "0m"}, 'bar: "0m" is not a bar length'),
        ({"currency": "usd"}, 'currency: "usd" is not a currency code of three to five capitals, such as USD'),
        ({"fx_rates": {"EUR": 0}}, "fx_rates.EUR: 0 is not > 0"),
        ({"fx_rates": {"USD": 1.1}}, "fx_rates.USD: 1.1 for the account's own currency; leave it out"),
        ({"seed": -1}, "seed: -1 is not >= 0"),
        ({"seed": 1.5}, "seed: 1.5 is not a whole number"),
        ({"bot": {"ema_span": 5}}, "bot.ema_span: unknown key; known are module, name, settings; settings of a bot go"),
        ({"bot": {"name": ""}}, "bot.name: a name is missing; --list shows the names there are"),
        ({"bot": {"settings": {"f": object}}}, "is not plain data"),
        ({"bot": {"settings": {3: 1}}}, "bot.settings: the key 3 is not text; put it in quotes"),
    ],
)
def test_bad_input_is_refused_with_key_value_and_what_is_allowed(keys: dict[str, Any], text: str) -> None:
    assert text in refusal(**keys)


@pytest.mark.parametrize("where", ["assets", "defaults"])
@pytest.mark.rule("S1.1")
def test_two_slippages_are_an_error(where: str) -> None:
    """S1.1."""
    both = {"slippage_ticks": 1, "slippage_pct": 0.0005}

    text = refusal(**({"defaults": both} if where == "defaults" else {"assets": [{"symbol": "ES"} | both]}))

    assert "slippage_ticks and slippage_pct are both given; give one of them" in text


def test_a_maintenance_margin_above_the_initial_one_is_an_error() -> None:
    text = refusal(assets=[{"symbol": "ES", "initial_margin": 10, "maintenance_margin": 11}])

    assert text == (
        "assets[0].maintenance_margin: 11 is above initial_margin, 10; a position could not be held as it is opened"
    )


def test_all_problems_are_listed_at_once() -> None:
    text = refusal(seed=-1, simulation={"path": "x"}, start="2024-02-01", end="2024-01-01", defaults={"tick_size": -1})

    assert text.startswith("4 problems:")
    assert all(key in text for key in ("seed", "simulation.path", "end", "defaults.tick_size"))


def test_a_symbol_that_stands_twice_is_told_beside_what_is_wrong_with_an_asset() -> None:
    text = refusal(assets=[{"symbol": "ES", "tick_size": 0}, {"symbol": "ES"}, {"symbol": "NQ"}, {"symbol": "ES"}])

    assert text.startswith("3 problems:")
    assert "assets[0].tick_size: 0 is not > 0" in text
    assert 'assets[1].symbol: "ES" stands at assets[0] too' in text
    assert 'assets[3].symbol: "ES" stands at assets[0] too' in text


@pytest.mark.rule("S1.3")
def test_an_asset_goes_before_defaults_and_these_before_data() -> None:
    """S1.3."""
    made = config(
        data={"timezone": "UTC", "repair": "drop", "bar_length": "1m"},
        defaults={"timezone": "America/New_York", "repair": "fix", "commission_per_contract": 2},
        assets=[{"symbol": "ES", "repair": "off"}, {"symbol": "NQ", "commission_per_contract": 0}],
    )

    es, nq = made.asset("ES"), made.asset("NQ")

    assert (es.repair, es.timezone, es.bar_length, es.commission_per_contract) == ("off", "America/New_York", "1m", 2)
    assert (nq.repair, nq.commission_per_contract) == ("fix", 0)


def test_of_two_keys_that_exclude_each_other_the_assets_own_one_counts() -> None:
    """S1.3 with S1.1."""
    made = config(
        defaults={"slippage_ticks": 2, "initial_margin": 500},
        assets=[{"symbol": "A", "slippage_pct": 0.001, "initial_margin_rate": 1.0}, {"symbol": "B"}],
    )

    a, b = made.asset("A"), made.asset("B")

    assert (a.slippage_ticks, a.slippage_pct, a.initial_margin, a.initial_margin_rate) == (None, 0.001, None, 1.0)
    assert (b.slippage_ticks, b.slippage_pct, b.initial_margin, b.initial_margin_rate) == (2, None, 500, None)


def test_an_unknown_asset_is_named_with_the_nearest() -> None:
    with pytest.raises(ConfigError, match='no asset "ESX"; the nearest is ES'):
        config().asset("ESX")


def test_a_date_counts_as_its_whole_day_and_a_time_as_itself() -> None:
    day = config(start="1970-01-02", end=date(1970, 1, 2))
    hours = config(start="1970-01-01T05:00:00-05:00", end=datetime(1970, 1, 1, 11, tzinfo=UTC))
    naive = config(start=datetime(1970, 1, 1, 3))  # noqa: DTZ001  (what YAML gives for a time without offset)

    assert (day.start_ns, day.end_ns) == (DAY, 2 * DAY)
    assert (hours.start_ns, hours.end_ns) == (10 * HOUR, 11 * HOUR)
    assert (naive.start_ns, naive.end_ns) == (3 * HOUR, None)


def test_the_hash_tells_runs_apart_and_nothing_else() -> None:
    base = config()

    same = [
        config(name="other"),
        config(output={"report": False}),
        config(data={"cache": False}),
        config(initial_cash=100_000),
        config(simulation={"path": "worst_case"}),
    ]
    other = [
        config(seed=1),
        config(bot={"settings": {"ema_span": 34}}),
        config(end="2024-01-01"),
        config(assets=[{"symbol": "ES", "file": "other.csv"}]),
    ]

    assert {made.hash() for made in same} == {base.hash()}
    assert len({made.hash() for made in [base, *other]}) == 5


def test_the_hash_is_the_same_in_another_process(repo_root: Path) -> None:
    """S14."""
    code = (
        "from engine.config import BacktestConfig;"
        "print(BacktestConfig(assets=[{'symbol': 'ES', 'file': 'es.csv'}], fx_rates={'EUR': 1.1, 'GBP': 2}).hash())"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=repo_root, capture_output=True, text=True, check=True)

    assert done.stdout.strip() == config(fx_rates={"GBP": 2, "EUR": 1.1}).hash()


def test_loading_a_configuration_imports_no_pandas_and_no_qt(repo_root: Path) -> None:
    code = (
        "import sys; from engine.config import load_config; load_config('configs/sample.yaml');"
        "print([name for name in ('pandas', 'pyarrow', 'PyQt6', 'torch', 'matplotlib') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=repo_root, capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"


@given(
    cash=st.floats(1, 1e9),
    seed=st.integers(0, 2**63 - 1),
    ticks=st.none() | st.floats(0, 100),
    settings=st.dictionaries(st.text(min_size=1), st.none() | st.booleans() | st.integers() | st.text()),
    start=st.none() | st.dates() | st.datetimes(timezones=st.just(UTC)),
)
def test_what_was_given_makes_the_same_configuration_again(
    cash: float, seed: int, ticks: float | None, settings: dict[str, Any], start: date | None
) -> None:
    made = config(
        initial_cash=cash,
        seed=seed,
        start=start,
        bot={"settings": settings},
        assets=[{"symbol": "ES", "slippage_ticks": ticks}],
    )

    again = BacktestConfig(**made.given())

    assert again == made
    assert again.hash() == made.hash()


def test_a_part_checks_its_settings_against_its_own_class() -> None:
    class Mine(Settings):
        span: int = setting(5, unit="bars", ge=1, help="Span.")

    made = config(bot={"settings": {"span": 7}}, exit={"settings": {"spam": 1, "span": 0}})

    assert made.bot.check(Mine).span == 7
    with pytest.raises(ConfigError) as caught:
        made.exit.check(Mine)
    assert "exit.settings.spam: unknown key; the nearest is span" in str(caught.value)
    assert "exit.settings.span: 0 is not >= 1" in str(caught.value)

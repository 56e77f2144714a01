"""YAML files: places in errors, YAML 1.2 scalars, relative files, overrides."""

from pathlib import Path

import pytest

from engine.config import BacktestConfig, fine_source_settings, load_config, source_settings
from engine.config.yaml_source import read_scalar, read_yaml
from engine.errors import ConfigError
from engine.settings import Settings, setting

GOOD = """\
initial_cash: 50_000
assets:
  - symbol: ES
    file: bars/es.csv
  - {symbol: "ON", file: /data/on.csv, tick_size: 1e-2}
bot:
  module: mine.py
  settings:
    span: 7
"""


class Mine(Settings):
    span: int = setting(5, unit="bars", ge=1, help="Span.")


@pytest.fixture
def write(tmp_path: Path) -> Path:
    """A valid file to begin with."""
    path = tmp_path / "x.yaml"
    path.write_text(GOOD, encoding="utf-8")
    return path


def refusal(path: Path, text: str) -> str:
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_config(path)
    return str(caught.value).replace(str(path), "x.yaml")


def test_relative_files_begin_at_the_folder_of_the_file(write: Path) -> None:
    config = load_config(write)

    assert config.name == "x"
    assert config.asset("ES").file == write.parent / "bars/es.csv"
    assert config.asset("ON").file == Path("/data/on.csv")
    assert config.bot.module_file == write.parent / "mine.py"
    assert config.assets[0].file == Path("bars/es.csv")
    assert config.with_overrides(["data.cache_dir=copies"]).cache_dir == write.parent / "copies"


def test_the_hash_does_not_depend_on_where_the_folder_is(write: Path, tmp_path: Path) -> None:
    other = tmp_path / "elsewhere/x.yaml"
    other.parent.mkdir()
    text = GOOD.replace("/data/on.csv", "on.csv")
    write.write_text(text, encoding="utf-8")
    other.write_text(text.replace("bars/es.csv", str(other.parent / "bars/es.csv")), encoding="utf-8")

    assert load_config(write).hash() == load_config(other).hash()


def test_every_problem_has_its_line_in_the_order_of_the_file(write: Path) -> None:
    text = refusal(
        write,
        "sumulation: {}\n"
        "assets:\n"
        "  - symbol: ES\n"
        "    tick_size: -0.25\n"
        "  - file: nq.csv\n"
        "    slippage_ticks: 1\n"
        "    slippage_pct: 0.1\n"
        "seed: many\n",
    )

    assert text == (
        "5 problems:\n"
        "  x.yaml:1 sumulation: unknown key; the nearest is simulation\n"
        "  x.yaml:4 assets[0].tick_size: -0.25 is not > 0\n"
        "  x.yaml:5 assets[1].symbol: is missing; it has no default\n"
        "  x.yaml:7 assets[1].slippage_pct: slippage_ticks and slippage_pct are both given; give one of them\n"
        '  x.yaml:8 seed: "many" is not a whole number'
    )


def test_settings_that_the_bot_refuses_have_their_line_too(write: Path) -> None:
    write.write_text(GOOD.replace("span: 7", "spam: 7"), encoding="utf-8")

    with pytest.raises(ConfigError) as caught:
        load_config(write).bot.check(Mine)

    assert str(caught.value) == f"{write}:9 bot.settings.spam: unknown key; the nearest is span"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "x.yaml is empty; configs/full.yaml shows every key"),
        ("# nothing\n", "x.yaml is empty; configs/full.yaml shows every key"),
        ("- 1\n", "x.yaml does not hold keys and values; configs/full.yaml shows every key"),
        ("seed: [1\nname: x\n", "x.yaml:2 is not valid YAML: "),
        ("seed: 1\nname: x\nseed: 2\n", "x.yaml:3 seed: the key stands in line 1 too; keep one of them"),
        ("data: {1: 2}\n", "x.yaml:1 data.1: the key 1 is not text; put it in quotes"),
        ("seed: !!python/object:os.system 1\n", "x.yaml:1 is not valid YAML: could not determine a constructor"),
        ("data: !mine {cache: true}\n", "x.yaml:1 data: the tag !mine has no meaning here; leave it out"),
        ("data: &a {repair: *a}\n", "x.yaml:1 data.repair: an alias leads back to itself"),
        ("start: 2024-13-01\n", "x.yaml:1 start: 2024-13-01 cannot be read: "),
        ("seed: 1\x00\n", "x.yaml is not valid YAML: "),
        ("seed: 1\n", "x.yaml assets: is missing; it has no default"),
    ],
)
def test_a_file_that_is_no_configuration_is_refused_with_its_line(write: Path, text: str, expected: str) -> None:
    assert refusal(write, text).startswith(expected)


def test_a_missing_file_is_named_with_the_nearest(write: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load_config(write.parent / "y.yaml")

    assert str(caught.value) == f"{write.parent / 'y.yaml'} does not exist; the nearest is {write}"


def test_a_file_in_another_encoding_is_refused(write: Path) -> None:
    write.write_bytes("name: Düsseldorf\n".encode("latin-1"))

    with pytest.raises(ConfigError, match="is not UTF-8 text: byte 7 cannot be read; save it as UTF-8"):
        load_config(write)


def test_a_folder_in_place_of_a_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        load_config(tmp_path)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("ON", "ON"),
        ("no", "no"),
        ("true", True),
        ("1e-4", 1e-4),
        ("-.5", -0.5),
        ("010", 10),
        ("1_000", 1000),
        ("12:30", "12:30"),
        ("6E", "6E"),
        ("~", None),
        ("", None),
        ("[1, 2.5]", [1, 2.5]),
        ("{a: 1}", {"a": 1}),
        ("'34'", "34"),
    ],
)
def test_scalars_are_read_as_yaml_1_2_has_them(text: str, value: object) -> None:
    read = read_scalar(text)

    assert read == value
    assert type(read) is type(value)


def test_a_merged_mapping_may_be_overridden() -> None:
    text = "base: &b {a: 1, c: 3}\nx: {<<: *b, a: 2}\ny: {<<: *b}\nz: *b\n"

    values = read_yaml(text, "x.yaml").values

    assert values["x"] == {"a": 2, "c": 3}
    assert values["y"] == values["z"] == {"a": 1, "c": 3}


def test_overrides_reach_settings_sections_and_assets(write: Path) -> None:
    config = load_config(write).with_overrides(
        [
            "bot.span=9",
            "exit.atr_multiple=2.5",
            "bot.name=Mine",
            "simulation.path=best_case",
            "assets.ES.slippage_ticks=2",
            "start=2024-01-01",
            "name=2024",
            "data.repair=null",
        ]
    )

    assert config.bot.check(Mine).span == 9
    assert config.exit.settings == {"atr_multiple": 2.5}
    assert (config.bot.name, config.name, config.simulation.path) == ("Mine", "2024", "best_case")
    assert config.assets[0].slippage_ticks == 2
    assert config.start_ns == 1_704_067_200_000_000_000
    assert config.asset("ES").file == write.parent / "bars/es.csv"
    assert load_config(write).bot.settings == {"span": 7}


def test_a_symbol_with_a_dot_is_found() -> None:
    config = BacktestConfig(assets=[{"symbol": "BRK"}, {"symbol": "BRK.B"}])

    changed = config.with_overrides(["assets.BRK.B.tick_size=0.01"])

    assert [asset.tick_size for asset in changed.assets] == [None, 0.01]


@pytest.mark.parametrize(
    ("override", "text"),
    [
        ("bot.span", "override bot.span: is not of the form key=value, such as bot.ema_span=34"),
        ("assets.EX.tick_size=1", 'override assets.EX.tick_size=1: there is no asset "EX"; the nearest is ES'),
        ("assets.ES=1", "override assets.ES=1: names no single value"),
        ("assets.ES.tick_size=-1", "override assets.ES.tick_size=-1: assets[0].tick_size: -1 is not > 0"),
        ("seed.x=1", "override seed.x=1: seed: {'x': 1} is not a whole number"),
        ("initial_cash.x=1", "override initial_cash.x=1: initial_cash holds one value, not keys"),
        ("simulaton.path=best_case", "override simulaton.path=best_case: simulaton: unknown key; the nearest is"),
        ("simulation.path=best", "override simulation.path=best: simulation.path: "),
        ("bot.span=[1", "cannot be read"),
    ],
)
def test_a_refused_override_is_named(write: Path, override: str, text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_config(write).with_overrides([override])

    assert text in str(caught.value)


def test_settings_set_by_an_override_are_named_by_it(write: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load_config(write).with_overrides(["bot.span=0"]).bot.check(Mine)

    assert str(caught.value) == "override bot.span=0: bot.settings.span: 0 is not >= 1"


def test_the_loader_is_told_what_the_asset_says(write: Path) -> None:
    (write.parent / "bars").mkdir()
    (write.parent / "bars/es.csv").touch()
    config = load_config(write).with_overrides(["assets.ES.repair=off", "defaults.repair=drop", "data.bar_length=1m"])

    settings = source_settings(config, "ES", "CMEGlobex_ES")
    fine = fine_source_settings(config.with_overrides(["assets.ES.fine_file=bars/es.csv"]), "ES")

    assert (settings.file, settings.bar_length) == (write.parent / "bars/es.csv", "1m")
    assert (settings.repair, settings.session_calendar, settings.use_adjusted_close) == (None, "CMEGlobex_ES", False)
    assert fine_source_settings(config, "ES") is None
    assert fine is not None
    assert fine.bar_length is None


def test_a_data_file_that_does_not_exist_is_named_with_line_and_nearest(write: Path) -> None:
    (write.parent / "bars").mkdir()
    (write.parent / "bars/ess.csv").touch()

    with pytest.raises(ConfigError) as caught:
        source_settings(load_config(write), "ES")

    file = write.parent / "bars/es.csv"
    assert str(caught.value) == f"{write}:4 assets[0].file: {file} does not exist; the nearest is ess.csv"


def test_an_asset_without_a_file_is_named() -> None:
    with pytest.raises(ConfigError, match=r"assets\[0\].file: is missing; the bars of this asset need a file"):
        source_settings(BacktestConfig(assets=[{"symbol": "ES"}]), "ES")


def test_a_text_nested_beyond_use_is_refused_with_its_line() -> None:
    """The library would go on until Python's stack ends."""
    with pytest.raises(ConfigError, match=r"deep\.yaml:2 .* nested more than 50 levels deep"):
        read_yaml("a: 1\nb: " + "[" * 3000, "deep.yaml")


def test_aliases_that_stand_for_more_values_than_memory_holds_are_refused() -> None:
    lines = ["a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    with pytest.raises(ConfigError, match="stand for more than 1,000,000 values"):
        read_yaml("\n".join(lines), "many.yaml")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("2024-02-30", "2024-02-30 cannot be read: day is out of range for month"),
        ("2024-13-01 10:00:00", "cannot be read: month must be in 1..12"),
        ("{a: 1, a: 2}", "the key stands in line 1 too; keep one of them"),
        ("[2024-02-30]", "2024-02-30 cannot be read"),
        ("&a [*a]", "an alias leads back to itself"),
    ],
)
def test_a_single_value_that_cannot_be_read_is_refused_and_never_taken_for_none(text: str, told: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_scalar(text)

    assert told in str(caught.value)


def test_a_key_that_stands_twice_in_one_line_is_refused_too() -> None:
    with pytest.raises(ConfigError, match=r"x.yaml:2 bot.name: the key stands in line 2 too; keep one of them"):
        read_yaml("seed: 1\nbot: {name: CoinFlip, name: TrendFollowing}\n", "x.yaml")


def test_an_override_with_a_day_that_is_none_is_refused() -> None:
    config = BacktestConfig(assets=[{"symbol": "ES", "file": "es.csv"}])

    with pytest.raises(ConfigError, match="override start=2024-02-30: 2024-02-30 cannot be read"):
        config.with_overrides(["start=2024-02-30"])

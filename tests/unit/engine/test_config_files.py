"""The shipped configurations, and the page made from the models."""

from pathlib import Path
from typing import Any

import pytest

from bots.catalog import BOTS, make_bot
from engine.config import AssetSection, BacktestConfig, instrument_of, load_config, source_settings
from engine.config.reference import reference
from engine.config.yaml_source import read_yaml
from engine.errors import ConfigError
from engine.settings import describe
from exits.catalog import EXITS

ASSET = {"symbol": "ES_SYN", "file": "../data/sample/ES_SYN.parquet", "contract": "ES"}


def configurations() -> list[Path]:
    """Configurations of one run; those of sweeps are read, and tested, elsewhere."""
    found = (Path(__file__).resolve().parents[3] / "configs").glob("*.yaml")
    return sorted(path for path in found if not path.stem.startswith("sweep"))


@pytest.mark.parametrize("path", configurations(), ids=lambda path: path.stem)
def test_every_shipped_configuration_is_valid(path: Path) -> None:
    config = load_config(path)

    assert config.name == path.stem
    assert config.bot.name in {"TrendFollowing", "CoinFlip"}


@pytest.mark.parametrize("path", configurations(), ids=lambda path: path.stem)
def test_every_asset_of_a_shipped_configuration_is_complete(path: Path) -> None:
    """S1.1; shares are not shipped, so their files are the reader's own."""
    config = load_config(path)

    for symbol in config.symbols:
        instrument, _ = instrument_of(config, symbol)
        assert instrument.point_value > 0
        if path.stem != "equities_daily":
            assert source_settings(config, symbol, instrument.calendar).file.is_file()


def test_the_full_configuration_equals_the_defaults(repo_root: Path) -> None:
    """S18: the values written in full.yaml are those that hold where nothing is written."""
    full = load_config(repo_root / "configs/full.yaml")
    values = full.given()
    for part in ("bot", "exit"):
        values[part]["settings"] = {}

    assert BacktestConfig(**values) == BacktestConfig(name="full", assets=[ASSET])


def test_the_full_configuration_has_every_key(repo_root: Path) -> None:
    path = repo_root / "configs/full.yaml"
    written = read_yaml(path.read_text(encoding="utf-8"), "full.yaml").values

    def missing(section: type[Any], keys: dict[str, Any]) -> set[str]:
        return set(section.model_fields) - set(keys)

    assert missing(BacktestConfig, written) == set()
    assert missing(AssetSection, written["assets"][0]) == set()
    for name in ("simulation", "data", "bot", "exit", "output"):
        section = BacktestConfig.model_fields[name].annotation
        assert section is not None
        assert missing(section, written[name]) == set(), name


@pytest.mark.parametrize(("part", "catalog"), [("bot", BOTS), ("exit", EXITS)])
def test_the_full_configuration_writes_the_defaults_of_its_bot_and_exit(
    repo_root: Path, part: str, catalog: dict[str, Any]
) -> None:
    """S18."""
    section = getattr(load_config(repo_root / "configs/full.yaml"), part)
    infos = describe(catalog[section.name].Settings)

    assert section.settings == {info.name: info.default for info in infos}


@pytest.mark.parametrize("path", configurations(), ids=lambda path: path.stem)
def test_bot_and_exit_of_a_shipped_configuration_can_be_made(path: Path) -> None:
    config = load_config(path)

    bot = make_bot(config.bot, config.exit)

    assert type(bot) is BOTS[config.bot.name]
    assert type(bot.exit) is EXITS[config.exit.name]


def test_the_page_of_the_keys_begins_with_what_the_models_make(repo_root: Path) -> None:
    page = (repo_root / "docs/reference/configuration.md").read_text(encoding="utf-8")

    assert page.startswith(reference()), "run: python -m tests.docs"


def test_a_file_whose_name_no_system_takes_is_told_at_its_key() -> None:
    config = BacktestConfig(assets=[{**ASSET, "file": "x" * 5000 + "/bars.csv"}])
    with pytest.raises(ConfigError, match=r"assets\[0\]\.file: .* cannot be looked for: File name too long"):
        source_settings(config, "ES_SYN")

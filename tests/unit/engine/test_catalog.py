"""A class of the user's own that cannot be used is refused in words, with its place (S12.3)."""

from pathlib import Path

import pytest

from bots.catalog import make_bot
from engine.config import BacktestConfig
from engine.config.sections import BotSection, ExitSection
from engine.errors import CatalogError
from exits.catalog import make_exit

USERS = '''"""Bots that cannot be made."""

from bots.base import BaseStrategyBot
from engine import settings
from exits.base import ExitStrategy


class OwnArguments(BaseStrategyBot):
    def __init__(self, name):
        self.name = name

    def decide_side(self, env, symbol):
        return None


class Raising(BaseStrategyBot):
    def __init__(self, settings, exit):
        raise LookupError("no table")

    def decide_side(self, env, symbol):
        return None


class WrongSettings(BaseStrategyBot):
    class Settings(settings.Settings):
        span: int = settings.setting(3, unit="bars", help="Span.")

    def decide_side(self, env, symbol):
        return None


class PlainSettings(ExitStrategy):
    class Settings:
        span = 3

    def initial_levels(self, side, entry_price, atr, market):
        return None
'''


@pytest.fixture
def module(tmp_path: Path) -> str:
    """A file of such classes."""
    file = tmp_path / "mine.py"
    file.write_text(USERS, encoding="utf-8")
    return str(file)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("OwnArguments", r"bot\.name: OwnArguments cannot be made of its settings: TypeError: .*positional arguments"),
        ("Raising", r"bot\.name: Raising cannot be made of its settings: LookupError: no table \(.*mine\.py line 18\)"),
        ("WrongSettings", r"bot\.name: WrongSettings\.Settings is not derived from bots\.base\.BotSettings; derive it"),
    ],
)
def test_a_bot_that_cannot_be_made_is_refused_with_place_and_cause(module: str, name: str, told: str) -> None:
    config = BacktestConfig(assets=[{"symbol": "ES"}], bot={"name": name, "module": module})

    with pytest.raises(CatalogError, match=told):
        make_bot(config.bot)


def test_an_exit_with_settings_of_its_own_kind_is_refused(module: str) -> None:
    with pytest.raises(CatalogError, match=r"PlainSettings\.Settings is not derived from engine\.settings\.Settings"):
        make_exit(ExitSection(name="PlainSettings", module=module))


def test_a_module_that_raises_is_told_with_the_line(tmp_path: Path) -> None:
    file = tmp_path / "broken.py"
    file.write_text('"""Broken."""\n\nTABLE = [][3]\n', encoding="utf-8")

    with pytest.raises(CatalogError, match=r"cannot be imported: IndexError: .* \(.*broken\.py line 3\)"):
        make_bot(BotSection(name="MyBot", module=str(file)))


def test_an_empty_module_name_is_told_as_such() -> None:
    with pytest.raises(CatalogError, match=r"the module's name is empty; write it as my_bots\.py:MyBot"):
        make_bot(BotSection(name="MyBot", module=""))

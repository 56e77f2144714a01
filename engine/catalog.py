"""How a name becomes a class: a catalog of ours, or a module of the user's own."""

import importlib
import importlib.util
import sys
import traceback
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any, Generic, TypeVar

from data.errors import TriphaseError
from data.spelling import nearest_or_all
from engine.config.sections import PartSection
from engine.errors import CatalogError

Part = TypeVar("Part")


class Shipped(Mapping[str, type[Part]], Generic[Part]):
    """Classes of ours by name; each is imported when it is asked for, so that a run loads the one that it uses.

    Args:
        places: where each class is, such as ``exits.atr.TrailingATRExit``.
    """

    def __init__(self, places: Mapping[str, str]) -> None:
        self._places = dict(places)

    def __getitem__(self, name: str) -> type[Part]:
        module, _, own = self._places[name].rpartition(".")
        found: type[Part] = getattr(importlib.import_module(module), own)
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)


def load_module(module: str, file: Path | None) -> ModuleType:
    """Import a user's module, from a file or by its dotted name.

    Raises:
        CatalogError: where it is missing or raises on import.
    """
    try:
        if not module.strip():
            raise CatalogError("the module's name is empty; write it as my_bots.py:MyBot, or package.module:MyBot")
        if file is None:
            return importlib.import_module(module)
        if not file.exists():
            raise CatalogError(f"{file} does not exist; name the Python file that holds the class")
        name = f"triphase_user_{file.stem}"
        spec = importlib.util.spec_from_file_location(name, file)
        if spec is None or spec.loader is None:
            raise CatalogError(f"{file} is not a Python file")
        loaded = importlib.util.module_from_spec(spec)
        sys.modules[name] = loaded
        spec.loader.exec_module(loaded)
    except CatalogError:
        raise
    except Exception as error:
        place = file if file is not None else module
        raise CatalogError(f"{place} cannot be imported: {_told(error)}") from error
    return loaded


def _told(error: Exception) -> str:
    """What a user's code raised, with the line that raised it unless that is one of ours."""
    text = f"{type(error).__name__}: {error}"
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if not frame.filename.startswith("<")]
    if not frames or frames[-1].filename in {__file__, importlib.__file__}:
        return text
    return f"{text} ({frames[-1].filename} line {frames[-1].lineno})"


def find_class(section: PartSection, catalog: Mapping[str, type[Part]], base: type[Part], kind: str) -> type[Part]:
    """The class that a configuration section names.

    Raises:
        CatalogError: where the name is unknown, is no class derived from ``base``, lacks a method, or has settings of
            another kind.
    """
    place = section.place("name")
    if section.module is None:
        found = catalog.get(section.name)
        if found is None:
            raise CatalogError(f"{place}: no {kind} is named {section.name!r}{nearest_or_all(section.name, catalog)}")
        return found
    own = getattr(load_module(section.module, section.module_file), section.name, None)
    if own is None:
        raise CatalogError(f"{place}: {section.module} has no class {section.name!r}")
    if not (isinstance(own, type) and issubclass(own, base)):
        raise CatalogError(f"{place}: {section.name} in {section.module} is not derived from {base.__name__}")
    missing = sorted(getattr(own, "__abstractmethods__", ()))
    if missing:
        raise CatalogError(f"{place}: {section.name} lacks {', '.join(missing)}; define it")
    _check_settings_class(own, base, place)
    return own


def _check_settings_class(own: type[Any], base: type[Any], place: str) -> None:
    """Refuse a class whose Settings are not of the kind that its base has."""
    expected = getattr(base, "Settings", None)
    given = getattr(own, "Settings", None)
    if expected is not None and not (isinstance(given, type) and issubclass(given, expected)):
        raise CatalogError(
            f"{place}: {own.__name__}.Settings is not derived from {expected.__module__}.{expected.__name__}; derive it"
        )


def made(section: PartSection, part: type[Part], *others: Any) -> Part:
    """An object of the class that a section names, from its checked settings and what else its class takes.

    Raises:
        ConfigError: where a setting is wrong.
        CatalogError: where the class does not take them, or raises.
    """
    own: type[Any] = part
    settings = section.check(own.Settings)
    try:
        found: Part = own(settings, *others)
    except TriphaseError:
        raise
    except Exception as error:
        place = section.place("name")
        raise CatalogError(f"{place}: {section.name} cannot be made of its settings: {_told(error)}") from error
    return found

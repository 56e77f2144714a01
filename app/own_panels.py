"""Which class ``--panel my_panels.py:MyPanel`` means: a panel of the user's own, made and put into the window."""

from pathlib import Path

from app.main_window import MainWindow
from app.panels.panel import Panel
from engine.catalog import find_class
from engine.config.sections import PartSection
from engine.errors import CatalogError


def add_own_panel(window: MainWindow, text: str) -> None:
    """Find the class, make a panel of it, and add it under the class's name without ``Panel``.

    Args:
        text: ``FILE.py:NAME`` from where the command was started, or ``package.module:NAME``.

    Raises:
        CatalogError: where the class is not there, is no panel, or a panel has its name already.
    """
    module, colon, name = text.rpartition(":")
    if not colon or not module or not name:
        raise CatalogError(f"--panel {text} names no class; write it as my_panels.py:MyPanel")
    where = str(Path(module).resolve()) if module.endswith(".py") else module
    kind = find_class(PartSection(name=name, module=where), {}, Panel, "panel")
    window.add_panel(name.removesuffix("Panel") or name, kind())

"""The configuration of a sweep's best setting, as a file that the headless command and the window can run."""

import os
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

from engine.config import BacktestConfig
from engine.errors import ConfigError
from research.sweeping.folds import Span
from research.sweeping.report import cell_name, figure_text, point_name
from research.sweeping.standings import Standings

_FILES = ("file", "fine_file", "factor_file")


def winner(standings: Standings) -> BacktestConfig:
    """The best setting in the cell in sample in which it did best, on the dates of the base configuration.

    Raises:
        ConfigError: where no run has a value to rank by.
    """
    best, number = standings.best, standings.best_cell
    if best is None or number is None:
        raise ConfigError("no run of the sweep has a value to rank by, so there is no best setting; see report.html")
    plan = standings.plan
    cell = replace(plan.cells[number], span=Span(-1, "all", None, None))
    return plan.config(cell, plan.points[best])


def winner_text(standings: Standings, target: Path) -> str:
    """That configuration as YAML; data files are written relative to ``target``'s folder."""
    import yaml

    config, plan = winner(standings), standings.plan
    best, number = standings.best or 0, standings.best_cell or 0
    values = config.given()
    values["name"] = target.stem
    for holder in (values, *values["assets"], values.get("defaults", {})):
        _move_files(holder, config, target)
    for part in ("bot", "exit"):
        module = values[part].get("module")
        if module is None:
            values[part].pop("module", None)
        elif module.endswith(".py"):
            values[part]["module"] = _relative(module, config, target)
    head = (
        f"# The best setting of the sweep {plan.name}: {point_name(plan, best)}\n"
        f"# {plan.objective.figure} {figure_text(plan.objective.figure, float(standings.values[number, best]))} "
        f"in {cell_name(plan.cells[number], plan)}; read the sweep's report.html before trusting it.\n"
    )
    return head + yaml.safe_dump(_plain(values), sort_keys=False, allow_unicode=True)


def _move_files(holder: dict[str, Any], config: BacktestConfig, target: Path) -> None:
    for key in _FILES:
        if holder.get(key) is not None:
            holder[key] = _relative(holder[key], config, target)
    data = holder.get("data", {})
    if data.get("cache_dir") is not None:
        data["cache_dir"] = _relative(data["cache_dir"], config, target)


def _relative(file: Any, config: BacktestConfig, target: Path) -> str:
    """A file that begins at the base configuration's folder, from the folder of ``target``."""
    whole = (config.folder or Path.cwd()) / Path(file)
    try:
        return Path(os.path.relpath(whole.resolve(), target.resolve().parent)).as_posix()
    except ValueError:  # another drive
        return whole.resolve().as_posix()


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value if value is None or isinstance(value, bool | int | float | str | date) else str(value)

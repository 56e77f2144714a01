"""Where a configuration comes from: a YAML file, whose folder is where relative data files begin."""

from pathlib import Path

from data.spelling import nearest_or_all
from engine.config.model import BacktestConfig
from engine.config.places import Places
from engine.config.yaml_source import read_yaml
from engine.errors import ConfigError


def load_config(path: str | Path) -> BacktestConfig:
    """The configuration in a YAML file; ``name`` becomes the file's name where it is not given.

    Raises:
        ConfigError: where the file cannot be read, or listing every problem as
            ``configs/x.yaml:12 assets[1].tick_size: -0.25 is not > 0``.
    """
    file = Path(path)
    text = read_yaml(config_text(file), str(path))
    places = Places(str(path), file.parent.resolve(), text.lines)
    return BacktestConfig.placed({"name": file.stem} | text.values, places)


def config_text(file: Path) -> str:
    """The text of a YAML file.

    Raises:
        ConfigError: where it is missing (with the nearest name), not UTF-8, or cannot be read.
    """
    try:
        return file.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        beside = [str(other) for other in file.parent.glob("*.yaml")] if file.parent.is_dir() else []
        raise ConfigError(f"{file} does not exist{nearest_or_all(file, beside)}") from None
    except UnicodeDecodeError as error:
        raise ConfigError(f"{file} is not UTF-8 text: byte {error.start} cannot be read; save it as UTF-8") from None
    except OSError as error:
        raise ConfigError(f"{file} cannot be read: {error.strerror}") from None

"""What ``docs/reference/configuration.md`` says: every key of a configuration, from the models that check it.

``python -m tests.docs`` writes the page, with the keys of live configurations and sweep files; a test keeps it equal.
"""

from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel

from engine.config.model import BacktestConfig
from engine.config.sections import AssetSection, Section
from engine.settings import SettingInfo, describe
from engine.wording import model_at, shown

_INTRODUCTION = """\
# Configuration

A run is described by one YAML file. `configs/full.yaml` shows every key with its default; the other files in
`configs/` are complete runs, one for each use. This page is made from the models that check a configuration
(`python -m tests.docs`), so it says what is checked.

```yaml
initial_cash: 100000
assets:
  - {symbol: ES_SYN, file: ../data/sample/ES_SYN.parquet, contract: ES}
bot: {name: TrendFollowing, settings: {ema_span: 34}}
exit: {name: TrailingATR}
```

```python
from engine.config import BacktestConfig, load_config

config = load_config("configs/sample.yaml")
config = config.with_overrides(["bot.ema_span=34", "assets.ES_SYN.slippage_ticks=2"])
config = BacktestConfig(assets=[{"symbol": "ES", "file": "es.csv"}])  # the same keys, from Python
```

## How it is read

- An unknown key, a wrong type or a value out of bounds is an error. All problems are listed at once, each with file,
  line, key path, value, what is allowed, and the nearest known name:
  `configs/x.yaml:12 assets[1].tick_size: -0.25 is not > 0`. Positions in lists count from 0.
- Numbers are never read out of quoted texts, and `true` is never 1. Only `true` and `false` are truth values: `ON`
  and `NO` are symbols. A key that stands twice is an error.
- Files of bars and factors, `cache_dir`, and a bot's or exit's `module` begin at the configuration's folder; the
  folder of `output` begins where the command is started.
- A value of an asset goes before `defaults`, that before `data`, and that before the contract table. Of two keys that
  exclude each other (`slippage_ticks` and `slippage_pct`, a margin and its rate), the asset's own one counts.
- On the command line, `--set key=value` changes any key: `bot.x` and `exit.x` mean settings of the bot and the exit,
  `assets.ES.x` means the asset with the symbol ES. Values are read as in the file.
- `config.hash()` is the SHA-256 of everything that can change a result: `name`, `output`, `cache` and `cache_dir` do
  not count, files count by their path from the configuration's folder.
"""


def reference() -> str:
    """The page, ending with a newline."""
    return "\n".join([_INTRODUCTION, *_chapters()]) + "\n"


def _chapters() -> Iterator[str]:
    yield from chapter("Top level", "", BacktestConfig)
    for info in describe(BacktestConfig):
        section = model_at(BacktestConfig, (info.name,))
        if info.name == "defaults" or section is None:
            continue
        title = "assets[]" if info.name == "assets" else info.name
        yield from chapter(f"`{title}`", info.help, section)
        if info.name == "assets":
            yield "`defaults` takes the same keys but `symbol`.\n"


def chapter(title: str, text: str, section: type[BaseModel]) -> Iterator[str]:
    """Lines of one section's chapter: a heading, a text, and the table of its keys."""
    yield f"## {title}\n"
    if text:
        yield f"{text}\n"
    yield "| key | type | unit | default | allowed | meaning |\n|---|---|---|---|---|---|"
    rows = describe(section)
    if section is AssetSection:
        rows.sort(key=lambda row: row.name != "symbol")
    yield from (_row(info) for info in rows)
    yield ""


def _row(info: SettingInfo) -> str:
    cells = (f"`{info.name}`", info.type, info.unit, _default(info), _allowed(info), info.help)
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _default(info: SettingInfo) -> str:
    if info.required:
        return "none: must be given"
    if isinstance(info.default, Section):
        return ""
    if isinstance(info.default, str | Path):
        return f"`{info.default}`"
    if isinstance(info.default, tuple):
        return f"`{list(info.default)}`"
    if isinstance(info.default, float):
        return f"`{info.default:.15g}`"
    return f"`{shown(info.default)}`"


def _allowed(info: SettingInfo) -> str:
    return info.allowed().replace(f"{2.0**63:g}", "2^63 - 1")

"""How far a run is, on stderr: share of bars, bars per second, equity."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from tqdm import tqdm

from research.headless.services import Progress, ProgressListener

_SECONDS_BETWEEN_LINES = 5.0
_SECONDS_ON_A_TERMINAL = 0.1


@contextmanager
def progress_bar(stream: TextIO, description: str, show: bool) -> Iterator[ProgressListener | None]:
    """A listener for a run's progress that draws a bar on ``stream``; None where nothing is to be shown."""
    if not show:
        yield None
        return
    between = _SECONDS_ON_A_TERMINAL if stream.isatty() else _SECONDS_BETWEEN_LINES
    with tqdm(
        desc=description, unit="bar", unit_scale=True, dynamic_ncols=True, file=stream, mininterval=between, leave=True
    ) as bar:

        def listener(progress: Progress) -> None:
            bar.total = progress.bars
            bar.set_postfix_str(f"equity {progress.equity:,.0f}", refresh=False)
            bar.update(progress.bar - bar.n)

        yield listener

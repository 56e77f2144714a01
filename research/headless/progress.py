"""How far a run is, on stderr: share of bars, bars per second, equity."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn, TextIO

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
    bars: list[tqdm[NoReturn]] = []

    def listener(progress: Progress) -> None:
        if not bars:  # begun with the first bars, so that loading does not count and an error stands alone
            bars.append(_bar(stream, description, progress.bars, between))
        bars[0].set_postfix_str(f"equity {progress.equity:,.0f}", refresh=False)
        bars[0].update(progress.bar - bars[0].n)

    try:
        yield listener
    finally:
        for bar in bars:
            bar.close()


def _bar(stream: TextIO, description: str, total: int, between: float) -> "tqdm[NoReturn]":
    return tqdm(
        desc=description,
        total=total,
        unit="bar",
        unit_scale=True,
        dynamic_ncols=True,
        file=stream,
        mininterval=between,
    )

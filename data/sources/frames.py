"""Takes bars given in memory as a pandas DataFrame as rows, by the same names as those of files."""

from typing import TYPE_CHECKING, Any

import numpy as np

from data.errors import SourceError
from data.series import FloatArray, TimeArray
from data.sources.columns import Columns, find_columns
from data.sources.raw import RawBars
from data.sources.single import meant_by
from data.zones import to_wall, zone_named

if TYPE_CHECKING:
    import pandas as pd

_SINGLE = ("float32", "float[pyarrow]")


def read_frame(frame: "pd.DataFrame", source: str) -> RawBars:
    """Return a frame's rows; times are its DatetimeIndex, or a column such as ``open_time``.

    Rows are counted from 1. Raises SourceError if a column is missing, or holds something else than numbers or times.
    """
    import pandas as pd

    table = frame.reset_index() if isinstance(frame.index, pd.DatetimeIndex) else frame
    names = [str(name) for name in table.columns]
    columns = find_columns(names)
    if not isinstance(columns, Columns):
        raise SourceError(
            f"{source}: no column for {columns}; the frame has {', '.join(names)}; name them open, high, ..."
        )
    if not len(table):
        raise SourceError(f"{source}: the frame has no rows; give at least two bars")
    stamp_ns, wall_ns, aware = _times(table.iloc[:, columns.stamp], source)
    numbers = {place: _numbers(table.iloc[:, place], names[place], source) for place in columns.numbers}
    open_, high, low, close = (numbers[place] for place in columns.prices)
    return RawBars(
        stamp_ns=stamp_ns,
        wall_ns=wall_ns,
        aware=aware,
        dates_only=False,
        open=open_,
        high=high,
        low=low,
        close=close,
        volume=np.add.reduce([numbers[place] for place in columns.volume]) if columns.volume else np.zeros(len(table)),
        adjusted_close=None if columns.adjusted_close is None else numbers[columns.adjusted_close],
        lines=np.arange(1, len(table) + 1, dtype=np.int64),
        unreadable=np.zeros(len(table), dtype=bool),
        notes=() if columns.volume else ("there is no volume; it is taken as 0",),
    )


def _times(column: Any, source: str) -> tuple[TimeArray, TimeArray | None, bool]:
    """Return UTC moments and the wall clock where there is a zone, else wall-clock times."""
    import pandas as pd

    if not pd.api.types.is_datetime64_any_dtype(column.dtype):
        raise SourceError(
            f"{source}: the times are {column.dtype}, not datetimes; use pandas.to_datetime(..., utc=True)"
        )
    if column.isna().any():
        row = int(np.argmax(column.isna().to_numpy())) + 1
        raise SourceError(f"{source} row {row}: the time is empty; drop or fill such rows")
    zone = column.dt.tz
    # Frames come in seconds, micro- and nanoseconds: their integers mean different things.
    moments = column if zone is None else column.dt.tz_convert("UTC").dt.tz_localize(None)
    stamp_ns = moments.dt.as_unit("ns").to_numpy().astype(np.int64)
    return (stamp_ns, None, False) if zone is None else (stamp_ns, to_wall(stamp_ns, zone_named(str(zone))), True)


def _numbers(column: Any, name: str, source: str) -> FloatArray:
    import pandas as pd

    if not pd.api.types.is_numeric_dtype(column.dtype) or pd.api.types.is_bool_dtype(column.dtype):
        raise SourceError(f"{source}: column {name} holds {column.dtype}, not numbers; convert it to float64")
    if str(column.dtype).lower() in _SINGLE:
        return meant_by(column.to_numpy(dtype=np.float32, na_value=np.nan))
    values: FloatArray = np.array(column.to_numpy(dtype=np.float64, na_value=np.nan), dtype=np.float64)
    return values

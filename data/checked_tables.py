"""How Parquet files of our own are written and read so that a flipped bit is an error and not another figure."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Self

if TYPE_CHECKING:
    from pathlib import Path

    import pyarrow as pa


def write_checked(table: "pa.Table", where: "Path | IO[bytes]", row_group_size: int | None = None) -> None:
    """Write with a checksum for every page; OSError where it cannot be written."""
    import pyarrow.parquet as pq

    pq.write_table(table, where, compression="zstd", row_group_size=row_group_size, write_page_checksum=True)


def read_checked(path: "Path", columns: list[str] | None = None) -> "pa.Table":
    """Read a file and hold it to its checksums.

    Raises:
        OSError: where it cannot be read, or a page is not as it was written.
        ValueError: where it is no whole Parquet file.
    """
    with CheckedFile(path) as file:
        return file.table(columns)


class CheckedFile:
    """A file that is held to its checksums, open to be read by and by: what is not asked for takes no memory.

    Raises:
        OSError: where it cannot be read, or a page is not as it was written.
        ValueError: where it is no whole Parquet file.
    """

    def __init__(self, path: "Path") -> None:
        import pyarrow.parquet as pq

        with _said_as_value_error():
            # Not read_table: that imports pandas first, a third of a second.
            self._file = pq.ParquetFile(path, page_checksum_verification=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    @property
    def rows(self) -> int:
        """How many there are."""
        return int(self._file.metadata.num_rows)

    @property
    def schema(self) -> "pa.Schema":
        """Names and types of the columns, and what was written beside them."""
        return self._file.schema_arrow

    def table(self, columns: list[str] | None = None) -> "pa.Table":
        """Several columns, or all, decoded side by side."""
        with _said_as_value_error():
            return self._file.read(columns=columns)

    def column(self, name: str) -> "pa.ChunkedArray":
        """A single column, decoded in the calling thread: other threads would keep the memory for their next use.

        Raises:
            KeyError: where there is none of that name.
        """
        if name not in self.schema.names:
            raise KeyError(name)
        with _said_as_value_error():
            return self._file.read(columns=[name], use_threads=False).column(0)


@contextmanager
def _said_as_value_error() -> Iterator[None]:
    import pyarrow as pa

    try:
        yield
    except pa.ArrowException as error:
        raise ValueError(str(error)) from None

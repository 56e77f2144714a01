"""How Parquet files of our own are written and read so that a flipped bit is an error and not another figure."""

from typing import IO, TYPE_CHECKING

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
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        # Not read_table: that imports pandas first, a third of a second.
        with pq.ParquetFile(path, page_checksum_verification=True) as file:
            return file.read(columns=columns)
    except pa.ArrowException as error:
        raise ValueError(str(error)) from None

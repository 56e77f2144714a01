"""How a file is replaced whole or not at all: written beside its place first, then renamed over it."""

import os
import threading
from pathlib import Path

PRIVATE = 0o600


def replace_file(path: Path, content: bytes | memoryview, *, durable: bool = False, mode: int = 0o666) -> None:
    """Replace a file; who reads it meanwhile sees the old content or the new, and a failure leaves nothing beside it.

    Args:
        durable: on the disk before it returns, so that a power cut leaves the old content or the new.
        mode: of the new file, less what the process masks; Windows knows none.

    Raises:
        OSError: where the disk refuses.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}-{threading.get_ident()}.tmp")
    try:
        with open(temporary, "wb", opener=lambda name, flags: os.open(name, flags, mode)) as file:
            file.write(content)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)

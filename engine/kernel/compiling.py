"""How the kernel is compiled: ahead of time by explicit signatures, cached under a hash of its own sources.

numba's disk cache looks at the file of a function only, not at the callees in other files. The cache folder is
therefore named by a hash over all kernel sources: a change anywhere compiles everything anew, and never runs stale
code.
With ``NUMBA_DISABLE_JIT=1`` the same functions run as plain Python.
"""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numba
from numba import config as numba_config

Function = TypeVar("Function", bound=Callable[..., Any])

_SOURCES = Path(__file__).resolve().parent
_OPTIMISATION = 2
JIT = not numba_config.DISABLE_JIT
BOUNDS_CHECKED = bool(numba_config.BOUNDSCHECK) or not JIT


def source_hash(folder: Path = _SOURCES) -> str:
    """Hash of all kernel sources, of where they lie and of numba's version, the name of the cache folder.

    numba finds what it kept by the path of its source: in a project that was moved it finds nothing.
    """
    digest = hashlib.sha256(f"{numba.__version__} {folder}".encode())
    for path in sorted(folder.glob("*.py")):
        digest.update(path.read_bytes())
    digest.update(b"checked" if BOUNDS_CHECKED else b"")
    return digest.hexdigest()[:16]


def cache_folder() -> Path:
    """Folder of the compiled kernel; ``TRIPHASE_CACHE_DIR`` moves it."""
    given = os.environ.get("TRIPHASE_CACHE_DIR")
    root = Path(given) if given else Path(__file__).resolve().parents[2] / ".cache"
    return root / "kernel" / source_hash()


CACHE_FOLDER = cache_folder()
_MARKER = CACHE_FOLDER / "complete"


def _cached_files() -> list[str]:
    return sorted(path.name for path in CACHE_FOLDER.rglob("*.nb?"))


def _intact() -> bool:
    return _MARKER.exists() and _MARKER.read_text(encoding="utf-8").split() == _cached_files()


# Whether an earlier start has left the whole compiled kernel on disk. Entries are then loaded with their callees
# linked in, and the callees themselves need not be compiled or loaded at all, which halves the time to start.
READY = JIT and _intact()


def mark_complete() -> None:
    """Note that every entry has been compiled and cached; called when all of the kernel is imported."""
    if JIT and not READY:
        marker = _MARKER.with_suffix(f".{os.getpid()}")
        marker.write_text("\n".join(_cached_files()), encoding="utf-8")
        marker.replace(_MARKER)


def _compile(function: Function, signature: object, **options: object) -> Function:
    """Compile a function now, without the second wrapper that numba makes for calls from C.

    LLVM's second level of optimisation compiles in a tenth less time than its third, and bars run as fast.
    """
    before = numba_config.CACHE_DIR, numba_config.OPT
    numba_config.CACHE_DIR, numba_config.OPT = str(CACHE_FOLDER), type(numba_config.OPT)(_OPTIMISATION)
    try:
        decorator = numba.njit(signature, error_model="numpy", no_cfunc_wrapper=True, **options)
        compiled: Function = decorator(function)
    finally:
        numba_config.CACHE_DIR, numba_config.OPT = before
    return compiled


def internal(signature: object, *, forceinline: bool = False) -> Callable[[Function], Function]:
    """Compile a function that only kernel functions call; it is kept as a part of the entries that call it."""
    if READY:
        decorate: Callable[[Function], Function] = numba.njit(error_model="numpy")
        return decorate
    options = {"no_cpython_wrapper": True, "forceinline": forceinline}
    return lambda function: _compile(function, signature, **options)


def entry(signature: object, *, nogil: bool = False) -> Callable[[Function], Function]:
    """Compile a function that Python calls; ``nogil`` for the long ones."""
    if READY:
        return lambda function: _Deferred(function, signature, nogil)  # type: ignore[return-value]
    return lambda function: _compile(function, signature, cache=True, nogil=nogil)


class _Deferred:
    """An entry that waits on disk, until it is asked for by name or called."""

    def __init__(self, function: Callable[..., Any], signature: object, nogil: bool) -> None:
        self._function, self._signature, self._nogil = function, signature, nogil
        self._loaded: Callable[..., Any] | None = None

    def load(self) -> Callable[..., Any]:
        """The compiled entry, from disk."""
        if self._loaded is None:
            self._loaded = _compile(self._function, self._signature, cache=True, nogil=self._nogil)
        return self._loaded

    def __call__(self, *arguments: Any) -> Any:
        return self.load()(*arguments)


def load_on_request(names: dict[str, Any]) -> None:
    """Let a module's entries be loaded when they are first asked for: of some thirty, a run needs a few.

    ``names`` are the module's globals. Its deferred entries are taken out of them, so that asking for one reaches the
    module's ``__getattr__`` once, and the compiled entry itself from then on.
    """
    deferred = {name: names.pop(name) for name, value in list(names.items()) if isinstance(value, _Deferred)}

    def fetch(name: str) -> Any:
        if name not in deferred:
            raise AttributeError(f"module {names['__name__']!r} has no attribute {name!r}")
        names[name] = deferred[name].load()
        return names[name]

    names["__getattr__"] = fetch

"""How a run asks code that is not part of every run: compiled functions called by address, loaded only where needed.

An account names a function and a record of its own; the entry logic calls it at the entries taken, and a run without
one costs a comparison. What is called this way (networks, online learners) is compiled and cached apart from the rest
of the kernel, under the same hash of all kernel sources, so that it neither slows the first start nor the others.
"""

import ctypes
from collections.abc import Callable
from typing import Any

import numba
from numba import config as numba_config
from numba.core import types
from numba.extending import intrinsic

from engine.kernel.compiling import CACHE_FOLDER, JIT, Function

# What a hook is asked. CHOOSE: the multiple of the ATR for an entry on a side (value). ENTERED: told the order's id,
# 0 where none was accepted.
CHOOSE, ENTERED = 0, 1

_HOOK = types.float64(types.int64, types.int64, types.int64, types.int64)
_C_HOOK = ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_int64, ctypes.c_int64, ctypes.c_int64, ctypes.c_int64)
_FOLDER = CACHE_FOLDER.with_name(f"{CACHE_FOLDER.name}-learned")


def _call_twin(function: int, record: int, moment: int, symbol: int, value: int) -> float:
    """The same call for plain Python."""
    return float(_C_HOOK(int(function))(int(record), int(moment), int(symbol), int(value)))


@intrinsic
def _call_compiled(typing_context: Any, function: Any, record: Any, moment: Any, symbol: Any, value: Any) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        from llvmlite import ir  # type: ignore[import-untyped]  # it ships no types

        word = ir.IntType(64)
        kind = ir.FunctionType(ir.DoubleType(), [word] * 4)
        return builder.call(builder.inttoptr(arguments[0], kind.as_pointer()), arguments[1:])

    return types.float64(*[types.int64] * 5), codegen


#: (function address, record address, moment, symbol, value) -> float: calls a hook.
call_hook: Callable[[int, int, int, int, int], float] = _call_compiled if JIT else _call_twin


def _cached(make: Callable[[], Any]) -> Any:
    before = numba_config.CACHE_DIR
    numba_config.CACHE_DIR = str(_FOLDER)
    try:
        return make()
    finally:
        numba_config.CACHE_DIR = before


def late_internal(function: Function) -> Function:
    """A function that only late entries and hooks call; compiled with them."""
    compiled: Function = numba.njit(error_model="numpy")(function)
    return compiled


def late_entry(signature: object) -> Callable[[Function], Function]:
    """Compile a function that Python calls, apart from the kernel's own entries; releases the GIL."""

    def decorate(function: Function) -> Function:
        compiled: Function = _cached(
            lambda: numba.njit(signature, cache=True, error_model="numpy", nogil=True)(function)
        )
        return compiled

    return decorate


def hook(function: Callable[[int, int, int, int], float]) -> tuple[int, object]:
    """A function of (record address, moment, symbol, value) for ``call_hook``: its address, and what keeps it alive."""
    if not JIT:
        made: Any = _C_HOOK(function)
        return int(ctypes.cast(made, ctypes.c_void_p).value or 0), made
    compiled: Any = _cached(lambda: numba.cfunc(_HOOK, cache=True, error_model="numpy")(function))
    return int(compiled.address), compiled

"""When a scripted fault strikes, and whom."""

import threading
from collections.abc import Callable
from dataclasses import replace

from data.tradestation.clock import NS
from data.tradestation.emulator.scenario import REQUEST_FAULTS, Fault, FaultKind


class FaultDesk:
    """Holds the faults still to come; safe to add to while the emulator runs."""

    def __init__(self, faults: tuple[Fault, ...], start_ns: int, now_ns: Callable[[], int]) -> None:
        self._start_ns = start_ns
        self._now_ns = now_ns
        self._lock = threading.Lock()
        self._pending = list(faults)

    def add(self, fault: Fault) -> None:
        """Script one more fault; one ``at`` a time that has passed strikes at once."""
        with self._lock:
            self._pending.append(fault)

    def for_request(self, path: str) -> Fault | None:
        """The fault that hits a request for ``path`` now, used up by it."""
        return self._take(path, lambda fault: fault.kind in REQUEST_FAULTS or fault.on_request)

    def for_stream(self, path: str) -> Fault | None:
        """The fault that hits an open stream on ``path`` now, used up by it."""
        return self._take(path, lambda fault: fault.kind not in REQUEST_FAULTS and not fault.on_request)

    def _take(self, path: str, wanted: Callable[[Fault], bool]) -> Fault | None:
        passed = (self._now_ns() - self._start_ns) / NS
        with self._lock:
            for index, fault in enumerate(self._pending):
                if wanted(fault) and fault.at <= passed and _hits(fault, path):
                    self._use(index, fault)
                    return fault
        return None

    def _use(self, index: int, fault: Fault) -> None:
        if fault.times > 1:
            self._pending[index] = replace(fault, times=fault.times - 1)
        else:
            del self._pending[index]

    @property
    def pending(self) -> tuple[Fault, ...]:
        """Faults that have not struck yet."""
        with self._lock:
            return tuple(self._pending)


def _hits(fault: Fault, path: str) -> bool:
    return fault.path in path and (not fault.symbol or path.casefold().endswith("/" + fault.symbol.casefold()))


def ends_stream(kind: FaultKind) -> bool:
    """Whether nothing follows on a stream after this fault."""
    lasting = {FaultKind.HANG, FaultKind.MUTE, FaultKind.ERROR_LINE, FaultKind.GARBAGE, FaultKind.CORRECTION}
    return kind not in lasting

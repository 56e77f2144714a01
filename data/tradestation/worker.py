"""What a stream's thread does when things go wrong: wait, try again, ask for a sign-in, or give up and say so.

A ``StreamWorker`` runs one connected session after another. How a session ends decides what follows: a farewell opens
the next one at once, a broken line waits by the policy, a used-up quota waits for its window, a missing sign-in waits
for one, and a refusal (entitlement, unknown symbol, the same login elsewhere) waits for the user.
"""

import logging
import random
import threading
import traceback
from dataclasses import replace
from typing import NoReturn

from data.errors import (
    EntitlementError,
    InstrumentError,
    LiveDataError,
    QuotaError,
    RequestError,
    SignInError,
    UnknownSymbolError,
)
from data.tradestation.answers import TokenRefusedError
from data.tradestation.clock import Clock
from data.tradestation.events import FeedState, FeedStatus
from data.tradestation.frames import StreamFault
from data.tradestation.reconnect import Backoff, ReconnectPolicy
from data.tradestation.stream import LineStream, StreamEndedError
from data.tradestation.tokenstore import Redacting

LOG = logging.getLogger("triphase.tradestation")
LOG.addFilter(Redacting())
JOIN_S = 1.0
REFUSALS = 4


class ReconnectAskedError(StreamEndedError):
    """Someone asked for a new connection."""


class StreamWorker:
    """Base of the feeds: a thread, its state, and the loop around ``_session``."""

    def __init__(self, symbol: str, clock: Clock, rng: random.Random, backoff: Backoff | None = None) -> None:
        self.symbol = symbol
        self._clock = clock
        self._policy = ReconnectPolicy(rng, backoff)
        self._stop = threading.Event()
        self._wake = threading.Event()
        self._asked = threading.Event()
        self._status_lock = threading.Lock()
        self._status = FeedStatus(symbol, FeedState.CONNECTING)
        self._stream: LineStream | None = None
        self._thread = threading.Thread(target=self._run, name=f"{symbol}: feed", daemon=True)

    # ---------------------------------------------------------------------------------------- control

    @property
    def status(self) -> FeedStatus:
        """The state right now."""
        with self._status_lock:
            return self._status

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End within a moment, also while the line hangs; call it from another thread."""
        self._stop.set()
        self._wake.set()
        stream = self._stream
        if stream is not None:
            stream.abort()
        if self._thread.is_alive():
            self._thread.join(JOIN_S)

    def reconnect(self) -> None:
        """Open a new connection now; bars are kept, what was missed is filled in."""
        self._asked.set()
        self._wake.set()

    def sign_in_changed(self) -> None:
        """Someone signed in: try again if that is what was missing."""
        if self.status.state is FeedState.SIGNED_OUT:
            self.reconnect()

    # ------------------------------------------------------------------------------------------- loop

    def _session(self) -> None:
        """One connection from opening to end; never returns without raising, unless told to stop."""
        raise NotImplementedError

    def _told(self, status: FeedStatus) -> None:
        """The state changed."""
        raise NotImplementedError

    def _lost(self, reason: str) -> None:
        """A connection is gone; what follows may have a gap."""
        raise NotImplementedError

    def _run(self) -> None:
        ended = "the feed's thread ended by an error of its own; the log has it"
        try:
            while not self._stop.is_set():
                self._attempt()
            ended = ""
        except Exception:  # noqa: BLE001 - an error of ours, whatever it is
            told = traceback.format_exc()  # a text, so that secrets are taken out of it
            LOG.error("%s: the feed's thread ended by an error of its own\n%s", self.symbol, told)  # noqa: TRY400
        finally:
            self._set(FeedState.FAILED if ended else FeedState.STOPPED, ended)

    def _attempt(self) -> None:
        was_asked = self._asked.is_set()
        self._asked.clear()
        self._wake.clear()
        if was_asked:
            self._policy.reset()
        try:
            self._session()
        except (LiveDataError, InstrumentError) as error:
            if not self._stop.is_set():
                LOG.info("%s", error)
                self._lost(str(error))
                self._after(error)

    def _after(self, error: LiveDataError | InstrumentError) -> None:
        """Wait as ``error`` demands."""
        if isinstance(error, ReconnectAskedError):
            return
        if isinstance(error, TokenRefusedError):
            pause = self._policy.failed(self._clock.monotonic())
            lasts = self._policy.attempt > REFUSALS
            self._pause(pause, error, FeedState.SIGNED_OUT if lasts else FeedState.RECONNECTING)
        elif isinstance(error, SignInError):
            self._wait_for_user(FeedState.SIGNED_OUT, error)
        elif isinstance(error, EntitlementError | UnknownSymbolError | RequestError | InstrumentError):
            self._wait_for_user(FeedState.FAILED, error)
        elif isinstance(error, QuotaError):
            self._pause(error.retry_in, error)
        else:
            farewell = isinstance(error, StreamEndedError) and error.farewell
            self._pause(self._policy.failed(self._clock.monotonic(), farewell=farewell), error)

    def _pause(self, seconds: float, error: Exception, state: FeedState = FeedState.RECONNECTING) -> None:
        self._set(state, str(error), attempt=max(1, self._policy.attempt), retry_in=seconds)
        self._clock.wait(self._wake, seconds)

    def _wait_for_user(self, state: FeedState, error: Exception) -> None:
        self._set(state, str(error))
        while not self._stop.is_set() and not self._asked.is_set():
            self._wake.wait(1.0)
            self._wake.clear()

    # ---------------------------------------------------------------------------------------- streams

    def _open(self, stream: LineStream) -> LineStream:
        """Open ``stream`` such that ``stop`` can end that at any moment."""
        self._stream = stream
        if self._stop.is_set():
            stream.abort()
        try:
            stream.open()
        except BaseException:
            stream.stop()
            raise
        return stream

    def _raise_fault(self, what: str, fault: StreamFault) -> NoReturn:
        """The error that a fault of a whole stream stands for."""
        said = f"{what}: {fault.error} {fault.message}".rstrip()
        if fault.error == "DualLogon":
            raise EntitlementError(f"{said}: the same login uses real-time data elsewhere; end that, then reconnect")
        if fault.error == "Forbidden":
            raise EntitlementError(f"{said}; the login lacks the market-data subscription")
        raise StreamEndedError(said)

    # ------------------------------------------------------------------------------------------ state

    def _set(self, state: FeedState, reason: str = "", *, attempt: int = 0, retry_in: float = 0.0) -> None:
        """Go to ``state`` and tell, if that is another state than before."""
        with self._status_lock:
            old = self._status
            new = replace(old, state=state, reason=reason, attempt=attempt, retry_in=retry_in)
            self._status = new
        if (old.state, old.reason, old.attempt) != (state, reason, attempt) or retry_in:
            self._told(new)

    def _keep(self, **facts: object) -> None:
        """Note figures of the status that change all the time; tells nothing."""
        with self._status_lock:
            self._status = replace(self._status, **facts)  # type: ignore[arg-type]  # names are those of FeedStatus

    def _begin(self) -> None:
        """Say that a connection is being made, for the first time or again."""
        attempt = self._policy.attempt
        first = self.status.state is FeedState.CONNECTING
        self._set(FeedState.CONNECTING if first else FeedState.RECONNECTING, "", attempt=attempt)

    def _heed(self) -> None:
        """Leave the session if someone asked for another one."""
        if self._asked.is_set():
            raise ReconnectAskedError("reconnecting as asked")

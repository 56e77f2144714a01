"""What a live command does from command line to exit code."""

import argparse
import logging
import random
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from bots.catalog import make_bot
from data.errors import SignInError, TriphaseError
from data.folder_lock import Hold
from data.tradestation.history import HistoryCache
from data.tradestation.live import LiveFeed
from data.tradestation.tokenstore import default_store
from engine.config import BacktestConfig
from engine.live import LiveSection, LiveSession, load_live_config
from engine.live.session import describe_run
from research.headless.configuring import PartName
from research.headless.surroundings import DONE, FAILED, STOPPED
from research.live.arguments import parse
from research.live.logs import logging_to
from research.live.recorded import replay_and_compare
from research.live.service import Service, credentials, service

LOG = logging.getLogger(__name__)
POLL_S = 0.02
TELL_S = 300.0
WRITTEN_S = 60.0
LOCK = ".lock"

# Shows a session in a window until it is closed; handed in, since Qt is none of this package's business.
OpenWindow = Callable[[LiveSession, Service, threading.Event, Path | None, str | None], int]


def main(argv: Sequence[str], open_window: OpenWindow, stop: threading.Event | None = None) -> int:
    """Run the command line ``argv``; ``stop`` ends it as SIGTERM does."""
    options = parse(argv)
    ended = threading.Event() if stop is None else stop
    if stop is None and options.replay is None and not options.sign_out:  # those end at once
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda _number, _frame: ended.set())
    try:
        return _command(options, open_window, ended)
    except TriphaseError as error:
        sys.stderr.write(f"error: {error}\n")
        return FAILED
    except KeyboardInterrupt:
        sys.stderr.write("stopped\n")
        return STOPPED


def _command(options: argparse.Namespace, open_window: OpenWindow, ended: threading.Event) -> int:
    if options.sign_out:
        return _sign_out()
    config, live = load_live_config(options.config)
    config = _configured(config, options)
    folder = _folder(options, config, live)
    if options.replay is not None:
        return replay_and_compare(options.replay, config, live)
    with _held(folder), logging_to(folder), service(options, config, live, folder, ended) as found:
        LOG.info("%s: %s, %d minutes, folder %s", found.label, ", ".join(config.symbols), live.minutes, folder)
        session = _session(config, live, found, folder, options.data_only)
        try:
            if options.headless:
                return _without_window(session, ended, options.seconds)
            return open_window(session, found, ended, options.settings, options.theme)
        finally:
            while not session.written(WRITTEN_S):  # the folder is ours until the last bar is in it
                LOG.info("bars are still being written")


@contextmanager
def _held(folder: Path) -> Iterator[None]:
    """Keep other sessions out of an account's folder; of one that cannot be written the account itself will tell.

    Raises:
        PlaceHeldError: where another session is at work there.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        hold = Hold(folder / LOCK, f"the account in {folder}", "close that session, or give another --folder")
    except OSError as error:
        LOG.warning("%s cannot be written: %s", folder, error.strerror or error)
        yield
        return
    if hold.warning:
        LOG.warning("%s", hold.warning)
    with hold:
        yield


def _sign_out() -> int:
    try:
        default_store(credentials().client_id[:8]).clear()
    except OSError as error:
        raise SignInError(f"the tokens kept here cannot be removed: {error.strerror or error}; try again") from error
    sys.stderr.write("signed out: the tokens kept here are forgotten\n")
    return DONE


def _configured(config: BacktestConfig, options: argparse.Namespace) -> BacktestConfig:
    """The configuration with the options' symbols, bot, exit and keys."""
    if options.symbols:
        wanted = [symbol.strip() for symbol in options.symbols.split(",") if symbol.strip()]
        given = config.given()
        own = {asset["symbol"]: asset for asset in given["assets"]}
        given["assets"] = [own.get(symbol, {"symbol": symbol}) for symbol in wanted]
        config = type(config).placed(given, config.places)
    parts: tuple[tuple[PartName, str | None], ...] = (("bot", options.bot), ("exit", options.exit))
    for part, text in parts:
        if text is not None:
            file, colon, name = text.rpartition(":")
            module = str(Path(file).resolve()) if file.endswith(".py") else file
            values = {"name": name, "module": module if colon else None}
            config = config.with_part(part, values, f"{part}={text}")
    return config.with_overrides(options.set)


def _folder(options: argparse.Namespace, config: BacktestConfig, live: LiveSection) -> Path:
    if options.folder is not None:
        return Path(options.folder)
    return Path(live.folder) / config.name


def _session(config: BacktestConfig, live: LiveSection, found: Service, folder: Path, data_only: bool) -> LiveSession:
    cache = None if found.sign_in is None else HistoryCache(folder / "history", live.host)
    feed = LiveFeed(found.client, random.Random(), settings=found.patience, cache=cache)
    if found.sign_in is not None:
        found.sign_in.changed.connect(lambda _: feed.sign_in_changed())
    fresh = None if data_only else partial(make_bot, config.bot, config.exit)
    return LiveSession(config, live, feed, found.clock, fresh, folder)


def _without_window(session: LiveSession, ended: threading.Event, seconds: float) -> int:
    """Poll until SIGTERM; say now and then where the account stands."""
    session.start()
    until = session.clock.monotonic() + seconds
    told = session.clock.monotonic()
    try:
        while not ended.wait(POLL_S):
            session.poll()
            now = session.clock.monotonic()
            if now - told >= TELL_S:
                told = now
                describe_run(session, LOG.info)
            if seconds and now >= until:
                break
    finally:
        session.close()
        describe_run(session, LOG.info)
        LOG.info("stopped; the account is in %s", session.folder)
    return DONE

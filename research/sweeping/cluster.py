"""Runs slices on a Ray cluster, or on one that is started on this machine for the sweep.

The driver ships the packages and the user's own modules with the job, and starts one worker per core; a node compiles
the kernel once. The bars of a group of symbols go into the object store when its first slice goes out, each array an
object of its own: a node fetches it once, and its workers read it where it lies. Whatever dies is started again, its
slice done again.
"""

import os
import shutil
import socket
import tempfile
import time
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from engine.errors import ConfigError
from engine.result import versions
from research.sweeping.driving import SLICE
from research.sweeping.library import Library
from research.sweeping.plan import Plan, Slice
from research.sweeping.rows import Row
from research.sweeping.stage import Workplace
from research.sweeping.ways import Groups, Losses, RowLists

LOCAL = "local"
_ROOT = Path(__file__).resolve().parents[2]
_PACKAGES = ("data", "engine", "bots", "exits", "models", "research")
_LEFT_OUT = shutil.ignore_patterns("__pycache__", "sample", "emulator", "*.parquet", "*.zip", "*.pt", ".*")
_USER_MODULES = "user_modules"
_AHEAD = 2
_LOCK_SECONDS = 300.0
_REACHED_SECONDS = 5.0
_CLIENT_PORT = 10001  # Ray's own, where an address ray://host names none
_LEAST_STORE = 128 * 2**20
_BYTES_PER_BAR = 48 + 32  # in prices and in ticks


class Ray:
    """A Ray cluster.

    Args:
        address: of a cluster, as ``ray.init`` takes it (``auto``, ``ray://host:10001``), or ``local``.

    Attributes:
        worker: what one core of the cluster runs.

    Raises:
        ConfigError: where Ray is not installed, nothing answers at the address, or a node has other versions than the
            driver.
    """

    def __init__(self, plan: Plan, library: Library, address: str) -> None:
        self._plan, self._library, self._address = plan, library, address
        self.worker: type[RayWorker] = RayWorker
        self._ray = _imported()

    def rows(self, pieces: Iterable[Slice]) -> RowLists:
        """Rows of each slice as it is done."""
        check_reachable(self._address)
        with tempfile.TemporaryDirectory(prefix="triphase-") as folder:
            shipped = ship(self._plan, Path(folder))
            self._connect(folder)
            try:
                self._compare_versions()
                yield from self._served(shipped, pieces)
            finally:
                self._ray.shutdown()

    def _connect(self, folder: str) -> None:
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        environment = {"working_dir": folder, "env_vars": {"RAY_USAGE_STATS_ENABLED": "0"}}
        options: dict[str, Any] = {"runtime_env": environment, "log_to_driver": False, "logging_level": "error"}
        if self._address == LOCAL:
            options |= {"include_dashboard": False, "_node_ip_address": "127.0.0.1"}
            options["object_store_memory"] = max(_LEAST_STORE, self._most_bytes())
        else:
            options["address"] = self._address
        try:
            self._ray.init(**options)
        except (ConnectionError, RuntimeError, ValueError) as error:
            raise ConfigError(
                f"no Ray cluster answers at {self._address}: {error}; start one there, or take --ray local"
            ) from error

    def _most_bytes(self) -> int:
        """Bytes for the bars of all groups of symbols that this machine's cores may have under way together."""
        groups = {cell.symbols for cell in self._plan.cells}
        most = max((self._library.bars_of(symbols) for symbols in groups), default=0)
        slices = max(len(self._plan) // (SLICE * max(len(groups), 1)), 1)
        together = min(_AHEAD * (os.cpu_count() or 1) // slices + 3, len(groups) + 1)
        return together * most * _BYTES_PER_BAR

    def _compare_versions(self) -> None:
        """Every node must give the same numbers, so it must have the same versions.

        Raises:
            ConfigError: naming node and versions.
        """
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        own = versions()
        for node in self._ray.nodes():
            if not node["Alive"] or not node["Resources"].get("CPU"):
                continue
            there = NodeAffinitySchedulingStrategy(node["NodeID"], soft=False)
            task = self._ray.remote(num_cpus=0, scheduling_strategy=there)(node_versions)
            found = self._ray.get(task.remote())
            if found != own:
                differing = ", ".join(
                    f"{name} {found.get(name)}, not {own[name]}" for name in own if found.get(name) != own[name]
                )
                raise ConfigError(
                    f"node {node['NodeManagerAddress']} has {differing}; results would differ; install the pinned "
                    "requirements of this project there"
                )

    def _start(self) -> list[Any]:
        cores = int(self._ray.cluster_resources().get("CPU", 1))
        actor = self._ray.remote(num_cpus=1, max_restarts=-1, max_task_retries=0)(self.worker)
        return [actor.remote() for _ in range(cores)]

    def _put(self, symbols: tuple[str, ...]) -> list[Any]:
        """A reference to the catalogue of a group and to where its arrays are in the object store."""
        part = self._library.of_group(self._plan, symbols)
        stored: dict[tuple[int, int], Any] = {}
        names: dict[str, Any] = {}
        for name, array in part.arrays().items():
            memory = (array.ctypes.data, array.nbytes)  # arrays that are the same memory are one object
            if memory not in stored:
                stored[memory] = self._ray.put(array)
            names[name] = stored[memory]
        return [self._ray.put((part.catalogue(), names))]

    def _served(self, plan: Plan, pieces: Iterable[Slice]) -> Iterator[list[Row]]:
        workers, kept = self._start(), self._ray.put(plan)
        groups: Groups[list[Any]] = Groups(self._plan, self._put, list.clear)
        left, losses = iter(pieces), Losses(self._plan)
        running: dict[Any, tuple[int, Slice]] = {}
        free = list(range(len(workers))) * _AHEAD
        while True:
            while free and (piece := losses.next(left)) is not None:
                number = free.pop(0)
                running[workers[number].run.remote([kept, *groups.of(piece)], piece)] = (number, piece)
            if not running:
                return
            done, _ = self._ray.wait(list(running), num_returns=1)
            for answer in done:
                number, piece = running.pop(answer)
                free.append(number)
                try:
                    rows = self._ray.get(answer)
                except self._ray.exceptions.RayError as error:
                    rows = losses.lost(piece, str(error).splitlines()[0])
                if rows:
                    yield rows
            groups.keep(piece for _, piece in running.values())


class RayWorker:
    """One core of the cluster: keeps its market between slices; started again, it begins without."""

    def __init__(self) -> None:
        self._place: Workplace | None = None
        self._group: Any = None

    def run(self, kit: list[Any], piece: Slice) -> list[Row]:
        """Rows of all runs of a slice.

        Args:
            kit: references to the plan, and to (catalogue, references to the arrays by name) of the slice's group.
        """
        import ray

        plan, group = kit
        if self._place is None:
            compile_once(Path.cwd())
            self._place = Workplace(ray.get(plan), Library(()))
        if group != self._group:
            self._place.use(Library(()))  # first let go of the group before, whose memory the store may need
            catalogue, names = ray.get(group)
            arrays = dict(zip(names, ray.get(list(names.values())), strict=True))
            self._place.use(catalogue.filled(arrays))
            self._group = group
        return self._place.run(piece)


def node_versions() -> dict[str, str]:
    """Versions on the node where this runs; importing the engine there compiles it."""
    compile_once(Path.cwd())
    return dict(versions())


def compile_once(folder: Path) -> None:
    """Import the compiled kernel; of all workers that share ``folder`` one compiles, the others wait for it."""
    lock = folder / "compiling.lock"
    begun = time.monotonic()
    while True:
        try:
            os.close(os.open(lock, os.O_CREAT | os.O_EXCL))
            break
        except FileExistsError:
            if time.monotonic() - begun > _LOCK_SECONDS:
                break  # whoever compiled has died: compile beside whoever else does
            time.sleep(0.1)
    try:
        from engine.kernel.compile import compile_engine

        compile_engine()
    finally:
        lock.unlink(missing_ok=True)


def ship(plan: Plan, folder: Path) -> Plan:
    """Copy the packages and the user's modules into ``folder``; the plan that finds them there."""
    for name in _PACKAGES:
        if (_ROOT / name).is_dir():
            shutil.copytree(_ROOT / name, folder / name, ignore=_LEFT_OUT)
    (folder / _USER_MODULES).mkdir()
    moved = {}
    for number, section in enumerate((*plan.bots, *plan.exits)):
        file = section.module_file
        if file is not None and section.module is not None and file.exists():
            moved[section.module] = f"{_USER_MODULES}/{number}/{file.name}"
            (folder / moved[section.module]).parent.mkdir()
            shutil.copy(file, folder / moved[section.module])
    return replace(plan, moved=moved)


def check_reachable(address: str) -> None:
    """Refuse an address at which nothing listens; Ray itself would try for minutes, deaf to Ctrl-C.

    Raises:
        ConfigError: after ``_REACHED_SECONDS`` at the latest, with the reason.
    """
    place = _place_of(os.environ.get("RAY_ADDRESS", address) if address == "auto" else address)
    if place is None:
        return
    try:
        socket.create_connection(place, timeout=_REACHED_SECONDS).close()
    except OSError as error:
        named = "" if address != "auto" else f" (RAY_ADDRESS {place[0]}:{place[1]})"
        raise ConfigError(
            f"no Ray cluster answers at {address}{named}: {error.strerror or error}; start one there, or take "
            "--ray local"
        ) from error


def _place_of(address: str) -> tuple[str, int] | None:
    """Host and port of an address; None where it names none, or is of a form that Ray alone knows."""
    scheme, _, rest = address.rpartition("://")
    if scheme not in ("", "ray"):
        return None
    parts = urlsplit(f"//{rest}")
    try:
        port = parts.port or (_CLIENT_PORT if scheme else None)
    except ValueError:
        return None
    return None if parts.hostname is None or port is None else (parts.hostname, port)


def _imported() -> Any:
    try:
        import ray
    except ImportError:
        raise ConfigError(
            "Ray is not installed; pip install -r requirements-ray.txt, or leave --ray out: --workers needs no Ray"
        ) from None
    return ray

"""Decides how Triphase is set up and started, with nothing but the standard library.

    python3 start.py VERB [arguments handed on]

Sets up ``.venv`` from the pinned requirements the verb needs, once: what is installed is remembered by the hash of
the requirements files, so that a second start goes straight on. Then runs the verb with the environment's Python
and passes on its exit code. Exit code 2: the machine lacks something, and the cure has been printed.

Entry scripts call ``ensure_environment`` first, so that they also run when started with another Python.
"""

from __future__ import annotations  # parsed by Pythons older than those supported, in order to refuse them

import contextlib
import ctypes
import difflib
import hashlib
import importlib.util
import json
import os
import platform
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
OLDEST, NEWEST = (3, 11), (3, 13)
WINDOWS = os.name == "nt"

REQUIREMENTS = {
    "core": ["requirements-core.txt"],
    "dev": ["requirements-dev.txt"],
    "full": ["requirements.txt"],
    "ray": ["requirements-core.txt", "requirements-ray.txt"],
    "all": ["requirements.txt", "requirements-dev.txt"],
}
# What tells, without importing anything, that a set is there.
PROBES = {
    "core": ("numpy", "numba", "pydantic", "talib", "psygnal"),
    "full": ("numpy", "numba", "pydantic", "torch", "stable_baselines3", "gymnasium"),
    "ray": ("numpy", "numba", "pydantic", "ray"),
}
# Shared libraries that PyQt6 loads and the Debian packages that hold them.
QT_LIBRARIES = {
    "libGL.so.1": "libgl1",
    "libEGL.so.1": "libegl1",
    "libglib-2.0.so.0": "libglib2.0-0",
    "libxkbcommon.so.0": "libxkbcommon0",
    "libdbus-1.so.3": "libdbus-1-3",
    "libfontconfig.so.1": "libfontconfig1",
}
QT_WINDOW_LIBRARIES = {
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
    "libxcb-cursor.so.0": "libxcb-cursor0",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxcb-shape.so.0": "libxcb-shape0",
}
STATIC_CHECKS = [
    ("ruff format", ["-m", "ruff", "format", "--check", "."]),
    ("ruff check", ["-m", "ruff", "check", "."]),
    ("mypy", ["-m", "mypy"]),
    ("import-linter", ["-c", "from importlinter.cli import lint_imports_command; lint_imports_command()", "--no-logo"]),
]


class SetupError(Exception):
    """The machine lacks something; the text says what, and the cure."""


def say(text: str) -> None:
    """Tell the user, apart from what the started program prints."""
    print(f"[start] {text}", file=sys.stderr, flush=True)


# ------------------------------------------------------------------------------------------------ Python


def version_problem(version: Sequence[int], found: Iterable[str] = ()) -> str | None:
    """Return why this Python cannot be used, with a Python of this machine that can, or None."""
    if OLDEST <= tuple(version[:2]) <= NEWEST:
        return None
    have = ".".join(str(part) for part in version[:3])
    allowed = f"{OLDEST[0]}.{OLDEST[1]} to {NEWEST[0]}.{NEWEST[1]}"
    reason = "numpy and pandas need 3.11" if tuple(version[:2]) < OLDEST else "the compiled libraries are untried there"
    usable = next(iter(found), None)
    cure = f"Here is one: {usable} start.py" if usable else "Install one of them from python.org or your system."
    return f"Triphase runs on Python {allowed}; this is {have} ({reason}). {cure}"


def usable_pythons() -> list[str]:
    """Return the commands on this machine that start a supported Python, newest first."""
    names = [f"python3.{minor}" for minor in range(NEWEST[1], OLDEST[1] - 1, -1)]
    return [name for name in names if shutil.which(name)]


def venv_python() -> Path:
    """Return where the environment's Python is (or will be)."""
    return VENV / ("Scripts/python.exe" if WINDOWS else "bin/python")


# ----------------------------------------------------------------------------------------------- running


@contextlib.contextmanager
def still(doing: str, every: float = 20.0) -> Iterator[None]:
    """Say now and then that something long goes on, with its seconds."""
    started, over = time.monotonic(), threading.Event()

    def tell() -> None:
        while not over.wait(every):
            say(f"  still {doing}, {time.monotonic() - started:.0f} s")

    teller = threading.Thread(target=tell, daemon=True)
    teller.start()
    try:
        yield
    finally:
        over.set()
        teller.join()


def run(command: Sequence[str | Path], cwd: Path | None = None, environment: dict[str, str] | None = None) -> int:
    """Run a command to its end and return its exit code; Ctrl-C is the child's to answer, SIGTERM is handed on."""
    process = subprocess.Popen([str(part) for part in command], cwd=cwd, env=environment)
    before = signal.signal(signal.SIGTERM, lambda *_: process.terminate())
    try:
        while True:
            try:
                code = process.wait()
                return code if code >= 0 else 128 - code
            except KeyboardInterrupt:
                continue  # the child received it too; it ends in its own time, and its code is what counts
    finally:
        signal.signal(signal.SIGTERM, before)


def run_python(*arguments: str | Path, cwd: Path | None = None) -> int:
    """Run the environment's Python."""
    return run([venv_python(), *arguments], cwd)


def script(name: str, *arguments: str | Path) -> int:
    """Run an entry script of this folder, in the caller's folder, with the arguments handed on."""
    path = ROOT / name
    if not path.is_file():
        raise SetupError(f"{name} is not in {ROOT}: this copy of Triphase is incomplete.")
    return run_python(path, *arguments)


# ----------------------------------------------------------------------------------------- system packages


def missing_packages(libraries: dict[str, str], load: Callable[[str], object] = ctypes.CDLL) -> list[str]:
    """Return the Debian packages of those shared libraries that cannot be loaded."""
    missing = []
    for library, package in libraries.items():
        try:
            load(library)
        except OSError:
            missing.append(package)
    return missing


def root_prefix() -> list[str] | None:
    """Return what to put before a command that needs root ([] as root), or None where root cannot be had."""
    if getattr(os, "geteuid", lambda: 1)() == 0:
        return []
    if (
        shutil.which("sudo")
        and subprocess.run(["sudo", "-n", "true"], capture_output=True, check=False).returncode == 0
    ):
        return ["sudo", "-n"]
    return None


def apt_install(packages: list[str]) -> bool:
    """Install Debian packages where this user may; return whether they are there now."""
    prefix = root_prefix() if shutil.which("apt-get") else None
    if prefix is None:
        return False
    say(f"installing system packages: {' '.join(packages)}")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    install = [*prefix, "apt-get", "install", "-y", "-q", "--no-install-recommends", *packages]
    for command in (install, [*prefix, "apt-get", "update", "-q"], install):
        done = subprocess.run(command, capture_output=True, check=False, env=environment, text=True)
        if command is install and done.returncode == 0:
            return True
    say("apt-get says: " + (done.stderr.strip().splitlines() or ["nothing"])[-1])
    return False


def apt_line(packages: list[str]) -> str:
    """Return the one command that installs Debian packages."""
    return f"sudo apt-get update && sudo apt-get install -y {' '.join(packages)}"


def ensure_qt_libraries(window: bool) -> None:
    """See to the shared libraries that Qt loads (Linux); where they cannot be installed, say how and go on."""
    if platform.system() != "Linux":
        return
    packages = missing_packages({**QT_LIBRARIES, **(QT_WINDOW_LIBRARIES if window else {})})
    if not packages or apt_install(packages):
        return
    if shutil.which("apt-get"):
        say(f"Qt needs system packages that only root can install. Run: {apt_line(packages)}")
    else:
        say(f"Qt needs shared libraries that are missing here; Debian calls their packages {' '.join(packages)}.")


def has_display() -> bool:
    """Return whether a window can be shown."""
    if platform.system() == "Linux":
        return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
    return "SSH_CONNECTION" not in os.environ


# ------------------------------------------------------------------------------------------------ set-up


def stamp_path() -> Path:
    """Return where it is remembered what this environment holds."""
    return VENV / "triphase.json"


def read_stamp() -> dict[str, str]:
    """Return what is installed: file name -> hash; empty where nothing is known, or the folder was moved."""
    try:
        stamp = json.loads(stamp_path().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    if not isinstance(stamp, dict) or stamp.get("root") != str(ROOT) or not venv_python().exists():
        return {}
    return {str(key): str(value) for key, value in stamp.items()}


def write_stamp(changes: dict[str, str]) -> None:
    """Remember what has been installed."""
    stamp = {**read_stamp(), "root": str(ROOT), **changes}
    stamp_path().write_text(json.dumps(stamp, indent=1, sort_keys=True), encoding="utf-8")


def hash_files(paths: Iterable[Path]) -> str:
    """Return a hash over the contents of files; line ends do not count, names do."""
    digest = hashlib.sha256()
    for path in sorted(paths):
        digest.update(path.name.encode() + b"\0" + path.read_bytes().replace(b"\r\n", b"\n") + b"\0")
    return digest.hexdigest()


def pins(name: str) -> set[str]:
    """Return the pins (``numpy==2.4.6``) of a requirements file."""
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    return {line.split("#")[0].strip() for line in lines} - {""}


def covered(names: list[str]) -> dict[str, str]:
    """Return file name -> hash of every requirements file whose pins are all in the files just installed."""
    installed = set().union(*(pins(name) for name in names))
    files = sorted({name for level in REQUIREMENTS.values() for name in level})
    return {name: hash_files([ROOT / name]) for name in files if pins(name) <= installed}


def outdated(level: str) -> list[str]:
    """Return the requirements files of a set that are not installed as they stand now."""
    stamp = read_stamp()
    return [name for name in REQUIREMENTS[level] if stamp.get(name) != hash_files([ROOT / name])]


def create_venv() -> None:
    """Make ``.venv``, replacing one that does not start."""
    say("creating .venv")
    if importlib.util.find_spec("ensurepip") is None:
        packages = [f"python3.{sys.version_info[1]}-venv"]
        if not apt_install(packages):
            raise SetupError(f"{sys.executable} comes without venv. Install it and start again: {apt_line(packages)}")
    command = [sys.executable, "-m", "venv", "--clear", str(VENV)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SetupError(install_problem((done.stdout + done.stderr).splitlines(), "creating .venv"))


def venv_works() -> bool:
    """Return whether ``.venv`` is there, starts, and is of a supported Python."""
    if not venv_python().exists():
        return False
    program = f"import sys, pip; sys.exit(not {OLDEST} <= sys.version_info[:2] <= {NEWEST})"
    try:
        return subprocess.run([venv_python(), "-c", program], capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def write_pth() -> None:
    """Put this folder on the environment's path, so that scripts find the packages from anywhere."""
    folders = [VENV / "Lib/site-packages"] if WINDOWS else sorted(VENV.glob("lib/python3*/site-packages"))
    for folder in folders:
        (folder / "triphase.pth").write_text(f"{ROOT}\n", encoding="utf-8")


def install(names: list[str]) -> None:
    """Install requirements files, telling what is fetched."""
    wanted = set().union(*(pins(name) for name in names))
    say(f"installing {len(wanted)} pinned packages ({', '.join(names)}); the first time this takes minutes")
    files = [part for name in names for part in ("-r", str(ROOT / name))]
    command = [str(venv_python()), "-m", "pip", "install", "--disable-pip-version-check", "--progress-bar=off", *files]
    environment = {**os.environ, "PYTHONIOENCODING": "utf-8"}
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, encoding="utf-8", env=environment
    )
    with still("installing"):
        lines = follow_pip(process.stdout or [], len(wanted))
        code = process.wait()
    if code != 0:
        raise SetupError(install_problem(lines, "installing packages"))


def follow_pip(output: Iterable[str], total: int) -> list[str]:
    """Show pip's progress and return its last lines."""
    lines: list[str] = []
    seen = 0
    for line in output:
        lines = [*lines[-39:], line.rstrip()]
        seen += "(from -r " in line  # each pin is met once, whether it is fetched or there already
        if line.startswith("Collecting "):
            say(f"  {seen} of {total}: {line.split()[1]}")
        elif line.startswith("Installing collected"):
            say("  unpacking")
    return lines


def install_problem(lines: list[str], doing: str) -> str:
    """Say in a sentence why pip or venv failed, and the cure."""
    text = "\n".join(lines)
    if "No space left" in text or "Errno 28" in text or "not enough space" in text:
        free = shutil.disk_usage(ROOT).free / 1e9
        return f"The disk is full ({free:.1f} GB free) while {doing}; the core needs 1.5 GB, training 2 GB more."
    if re.search(
        r"NewConnectionError|NameResolution|name resolution|Network is unreachable|timed out|ProxyError", text
    ):
        return f"No network while {doing}: the package index did not answer. Connect and start again; nothing is lost."
    missing = re.search(r"No matching distribution found for (\S+)", text)
    if missing:
        machine = f"Python 3.{sys.version_info[1]} on {platform.system()} {platform.machine()}"
        return f"The package index has no {missing[1]} for {machine}. Try another Python from 3.11 to 3.13."
    return f"pip or venv failed while {doing}. Its last lines:\n" + "\n".join(f"    {line}" for line in lines[-15:])


def set_up(level: str) -> None:
    """Bring ``.venv`` to a set of requirements; instant where it is there already."""
    names = outdated(level)
    if names:
        if not venv_works():
            create_venv()
        write_pth()
        install(names)
        write_stamp(covered(names))
    compile_kernel()


def compile_kernel() -> None:
    """Compile the engine once per state of its sources."""
    if not (ROOT / "engine/kernel/compile.py").is_file():
        return
    sources = hash_files((ROOT / "engine/kernel").glob("*.py"))
    if read_stamp().get("kernel") == sources:
        return
    say("compiling the engine, once: half a minute of processor time")
    with still("compiling"):
        code = run_python("-m", "engine.kernel.compile", cwd=ROOT)
    if code != 0:
        raise SetupError("The engine did not compile; what the compiler said stands above.")
    write_stamp({"kernel": sources})


def ensure_environment(level: str = "core") -> None:
    """Let an entry script go on only where its libraries are: here, else in ``.venv``, else print the cure.

    To be called before the script imports anything but the standard library, and only where it is the program that
    runs (``if __name__ == "__main__":``), so that tests can import it. ``level`` is ``core``, ``full``
    (training: torch) or ``ray``. Returns where the libraries are at hand, and puts the project's folder on the path.
    Otherwise it starts the same command again with ``.venv``'s Python and ends with its exit code; where there is
    no such Python, or the libraries are not there either, it prints what to run and ends with exit code 2.
    """
    if str(ROOT) not in sys.path:
        sys.path.insert(0, str(ROOT))
    missing = [name for name in PROBES[level] if importlib.util.find_spec(name) is None]
    if not missing:
        return
    if Path(sys.prefix).resolve() == VENV.resolve() or not venv_python().exists() or "TRIPHASE_RESTARTED" in os.environ:
        print(f"{', '.join(missing)} not installed. Run: {cure(level)}", file=sys.stderr)
        raise SystemExit(2)
    again = [venv_python(), *getattr(sys, "orig_argv", [sys.executable, *sys.argv])[1:]]
    # Whatever happens in that one, it does not start a third.
    sys.exit(run(again, environment={**os.environ, "TRIPHASE_RESTARTED": "1"}))


def cure(level: str) -> str:
    """Return the command that installs a set."""
    start = os.path.relpath(ROOT / "start.py")
    return f"{'py' if WINDOWS else 'python3'} {start} setup{'' if level == 'core' else ' ' + level}"


# ------------------------------------------------------------------------------------------------- verbs


def verb_setup(arguments: list[str]) -> int:
    """Install a set of libraries."""
    level = arguments[0] if arguments else "core"
    if level not in REQUIREMENTS or len(arguments) > 1:
        raise SetupError(f"setup takes one of {', '.join(REQUIREMENTS)}, not: {' '.join(arguments)}")
    set_up(level)
    say(f"ready: {level} in {VENV}")
    return 0


def verb_demo(arguments: list[str]) -> int:
    """Run a backtest on the shipped sample with its report, then open the window on it where there is a display"""
    set_up("core")
    runs = ROOT / "runs"
    before = set(runs.glob("*")) if runs.is_dir() else set()
    code = script(
        "run_backtest_headless.py", "--config", ROOT / "configs/sample.yaml", "--report", "--out", runs, *arguments
    )
    made = sorted((set(runs.glob("*")) if runs.is_dir() else set()) - before, key=lambda path: path.stat().st_mtime)
    if code != 0 or not made:
        return code
    report = made[-1] / "report.html"
    if report.is_file():
        say(f"the report: {report.as_uri()} (open it in a browser)")
    if not (ROOT / "run_backtest.py").is_file():
        return 0
    if not has_display():
        say(f"no display here; where there is one: {'py' if WINDOWS else 'python3'} start.py window --open {made[-1]}")
        return 0
    ensure_qt_libraries(window=True)
    return script("run_backtest.py", "--open", made[-1])


def launch(name: str, window: bool, arguments: list[str]) -> int:
    """Start one of the application's entry scripts."""
    set_up("core")
    if window:
        ensure_qt_libraries(window=True)
    return script(name, *arguments)


def verb_run(arguments: list[str]) -> int:
    """Run a script, from here or from the project's folder, with the libraries it asks for."""
    if not arguments:
        raise SetupError("run needs a script: python3 start.py run research/evaluate_exits.py")
    path = next((p for p in (Path(arguments[0]), ROOT / arguments[0]) if p.is_file()), None)
    if path is None:
        raise SetupError(f"There is no script {arguments[0]}, neither here nor in {ROOT}.")
    asked = re.search(r"ensure_environment\(\"(\w+)\"\)", path.read_text(encoding="utf-8"))
    set_up(asked[1] if asked else "core")
    return run_python(path, *arguments[1:])


def verb_check(arguments: list[str]) -> int:
    """Run what judges the sources without running them."""
    if arguments:
        raise SetupError(f"check takes no arguments, not: {' '.join(arguments)}")
    set_up("dev")
    return run_steps(STATIC_CHECKS)


def verb_test(arguments: list[str]) -> int:
    """Run the gate that every change must pass."""
    return gate("dev", ["-n", "2", *arguments])


def verb_test_full(arguments: list[str]) -> int:
    """Run the gate with everything in it."""
    return gate("all", ["-n", "2", "-m", "slow or not slow", *arguments])


def verb_bench(arguments: list[str]) -> int:
    """Run the benchmarks; they print ratios, to a C loop where there is a compiler."""
    set_up("dev")
    ensure_qt_libraries(window=False)
    return run_python("-m", "tests.bench", *arguments, cwd=ROOT)


def gate(level: str, pytest_arguments: list[str]) -> int:
    """Run every check and the tests, all of them also when one fails."""
    set_up(level)
    ensure_qt_libraries(window=False)
    return run_steps([*STATIC_CHECKS, ("pytest", ["-m", "pytest", "-q", *pytest_arguments])])


def run_steps(steps: list[tuple[str, list[str]]]) -> int:
    """Run steps one after the other, then say for each whether it held and its seconds; 1 if any failed."""
    results = []
    for name, arguments in steps:
        say(f"--- {name}")
        started = time.monotonic()
        code = run_python(*arguments, cwd=ROOT)
        results.append((name, code, time.monotonic() - started))
        if code == 130:
            return code
    for name, code, seconds in results:
        say(f"{'ok    ' if code == 0 else 'FAILED'} {name:<14} {seconds:6.1f} s")
    return int(any(code != 0 for _, code, _ in results))


class Verb(NamedTuple):
    """A verb of the command line: what runs it, the arguments it takes, what it does."""

    function: Callable[[list[str]], int]
    arguments: str
    help: str


VERBS = {
    "setup": Verb(verb_setup, "[SET]", f"install the libraries: {', '.join(REQUIREMENTS)} (core is the default)"),
    "demo": Verb(verb_demo, "", "a backtest on the shipped sample with its report, then the window on it"),
    "window": Verb(partial(launch, "run_backtest.py", True), "[...]", "the window: run_backtest.py"),
    "headless": Verb(
        partial(launch, "run_backtest_headless.py", False),
        "[...]",
        "one run, a batch or a sweep without a window: run_backtest_headless.py --config FILE",
    ),
    "live": Verb(
        partial(launch, "run_live.py", True), "[...]", "the live viewer: run_live.py; --demo needs no account"
    ),
    "run": Verb(verb_run, "SCRIPT [...]", "any script with the environment's Python, as research/evaluate_exits.py"),
    "check": Verb(verb_check, "", "format, lint, types and layers, without the tests"),
    "test": Verb(verb_test, "[...]", "the gate: check, then pytest without the slow tests; arguments go to pytest"),
    "test-full": Verb(verb_test_full, "[...]", "the same with the slow tests and those that need torch"),
    "bench": Verb(verb_bench, "[...]", "the benchmarks: tests/bench"),
}


def usage() -> str:
    """Return the help text."""
    lines = [f"  {name:<10}{verb.arguments:<14}{verb.help}" for name, verb in VERBS.items()]
    return "\n".join(["usage: python3 start.py VERB [arguments]", "", *lines])


def main(arguments: Sequence[str]) -> int:
    """Run a verb; foreseeable failures are a sentence on stderr and exit code 2."""
    if not arguments or arguments[0] in ("-h", "--help", "help"):
        print(usage())
        return 0 if arguments else 2
    problem = version_problem(sys.version_info[:3], usable_pythons())
    verb = VERBS.get(arguments[0])
    if problem is None and verb is None:
        near = difflib.get_close_matches(arguments[0], VERBS, 1)
        problem = f"There is no verb {arguments[0]!r}" + (f"; did you mean {near[0]}?" if near else ".")
    if problem is not None or verb is None:
        say(problem or "")
        return 2
    try:
        return verb.function(list(arguments[1:]))
    except SetupError as error:
        say(str(error))
    except OSError as error:
        say(install_problem([str(error)], f"writing {error.filename}") if error.errno == 28 else f"{error}")
    except KeyboardInterrupt:
        return 130
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

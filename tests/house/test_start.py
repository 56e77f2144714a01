"""start.py: verbs, refusals, what counts as installed, and what is said when something fails (no network here)."""

import ast
import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

import start
from tests.house.tree import ROOT, syntax

posix_only = pytest.mark.skipif(os.name == "nt", reason="signals are POSIX's")


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of its own with requirements files and an environment that holds nothing."""
    for names in start.REQUIREMENTS.values():
        for name in names:
            (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    python = tmp_path / ".venv" / ("Scripts/python.exe" if start.WINDOWS else "bin/python")
    python.parent.mkdir(parents=True)
    python.touch()
    monkeypatch.setattr(start, "ROOT", tmp_path)
    monkeypatch.setattr(start, "VENV", tmp_path / ".venv")
    return tmp_path


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """What would have been installed by pip."""
    calls: list[list[str]] = []
    monkeypatch.setattr(start, "install", calls.append)
    monkeypatch.setattr(start, "venv_works", lambda: True)
    return calls


# ---------------------------------------------------------------------------------------------- Pythons


@pytest.mark.parametrize("version", [(3, 11, 0), (3, 12, 9), (3, 13, 5)])
def test_supported_pythons_are_taken(version: tuple[int, ...]) -> None:
    assert start.version_problem(version) is None


@pytest.mark.parametrize("version", [(2, 7, 18), (3, 10, 14), (3, 14, 0), (4, 0, 0)])
def test_other_pythons_are_refused_with_the_reason(version: tuple[int, ...]) -> None:
    problem = start.version_problem(version)
    assert problem is not None
    assert "3.11 to 3.13" in problem
    assert ".".join(map(str, version)) in problem


def test_a_refusal_names_a_python_of_this_machine_that_would_do() -> None:
    assert "python3.12 start.py" in (start.version_problem((3, 9, 2), ["python3.12", "python3.11"]) or "")


def test_start_py_imports_the_standard_library_alone() -> None:
    tops = set()
    for node in ast.walk(syntax(ROOT / "start.py")):
        if isinstance(node, ast.Import):
            tops |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            tops.add((node.module or "").split(".")[0])
    assert tops <= sys.stdlib_module_names


def test_start_py_can_be_read_by_a_python_that_it_refuses() -> None:
    source = (ROOT / "start.py").read_text(encoding="utf-8")
    assert ast.parse(source, feature_version=(3, 7))


# ------------------------------------------------------------------------------------------ command line


def test_help_lists_every_verb(capsys: pytest.CaptureFixture[str]) -> None:
    assert start.main(["--help"]) == 0
    shown = capsys.readouterr().out
    assert all(f"  {verb} " in shown for verb in start.VERBS)


def test_the_verbs_are_those_of_the_documents() -> None:
    assert " ".join(start.VERBS) == "setup demo window headless live run check test test-full bench"


def test_without_a_verb_the_help_is_shown_and_the_exit_code_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert start.main([]) == 2
    assert "usage" in capsys.readouterr().out


def test_an_unknown_verb_is_answered_with_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert start.main(["tset"]) == 2
    assert "did you mean test?" in capsys.readouterr().err


def test_an_unknown_set_is_answered_with_those_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    assert start.main(["setup", "everything"]) == 2
    assert "core, dev, full, ray, all" in capsys.readouterr().err


@pytest.mark.parametrize("verb", ["window", "headless", "live"])
def test_a_copy_without_the_entry_script_says_so(
    verb: str, place: Path, installed: list[list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    assert start.main([verb]) == 2
    assert "incomplete" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("source", "level"), [("", "core"), ("ensure_environment()", "core"), ('ensure_environment("full")', "full")]
)
def test_run_installs_what_the_script_asks_for(
    source: str, level: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "x.py").write_text(source)
    levels: list[str] = []
    started: list[tuple[str | Path, ...]] = []
    monkeypatch.setattr(start, "set_up", levels.append)
    monkeypatch.setattr(start, "run_python", lambda *arguments: started.append(arguments) or 3)
    assert start.main(["run", str(tmp_path / "x.py"), "--seed", "1"]) == 3
    assert levels == [level]
    assert started == [(tmp_path / "x.py", "--seed", "1")]


def test_run_without_an_existing_script_says_where_it_looked(capsys: pytest.CaptureFixture[str]) -> None:
    assert start.main(["run", "research/nowhere.py"]) == 2
    assert "research/nowhere.py" in capsys.readouterr().err


def test_a_full_disk_is_a_sentence_not_a_trace(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(level: str) -> None:
        raise OSError(28, "No space left on device", ".venv/triphase.json")

    monkeypatch.setattr(start, "set_up", full)
    assert start.main(["setup"]) == 2
    assert "The disk is full" in capsys.readouterr().err


# ----------------------------------------------------------------------------------------------- set-up


def test_line_ends_do_not_change_a_hash_but_contents_and_names_do(tmp_path: Path) -> None:
    for name, text in {"a": b"x\n", "b": b"x\n"}.items():
        (tmp_path / name).write_bytes(text)
    before = start.hash_files([tmp_path / "a"])
    assert start.hash_files([tmp_path / "b"]) != before
    (tmp_path / "a").write_bytes(b"x\r\n")
    assert start.hash_files([tmp_path / "a"]) == before
    (tmp_path / "a").write_bytes(b"y\n")
    assert start.hash_files([tmp_path / "a"]) != before


def test_a_second_start_installs_nothing(place: Path, installed: list[list[str]]) -> None:
    start.set_up("core")
    start.set_up("core")
    assert installed == [["requirements-core.txt"]]


def test_a_changed_requirement_is_installed_at_the_next_start(place: Path, installed: list[list[str]]) -> None:
    start.set_up("core")
    (place / "requirements-core.txt").write_text("numpy==9.9\n")
    start.set_up("core")
    assert len(installed) == 2


def test_what_the_development_set_brought_is_not_installed_again_for_the_core(
    place: Path, installed: list[list[str]]
) -> None:
    start.set_up("dev")
    start.set_up("core")
    assert installed == [["requirements-dev.txt"]]


def test_the_core_is_not_taken_for_the_training_set(place: Path, installed: list[list[str]]) -> None:
    start.set_up("core")
    start.set_up("full")
    assert installed[1] == ["requirements.txt"]


def test_a_failed_install_is_not_remembered(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(names: list[str]) -> None:
        raise start.SetupError("no network")

    monkeypatch.setattr(start, "install", fail)
    monkeypatch.setattr(start, "venv_works", lambda: True)
    with pytest.raises(start.SetupError):
        start.set_up("core")
    assert start.outdated("core") == ["requirements-core.txt"]


def test_a_moved_folder_is_set_up_again(
    place: Path, installed: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    start.set_up("core")
    moved = place.with_name("moved")
    place.rename(moved)
    monkeypatch.setattr(start, "ROOT", moved)
    monkeypatch.setattr(start, "VENV", moved / ".venv")
    assert start.outdated("core") == ["requirements-core.txt"]


def test_a_damaged_memory_is_no_memory(place: Path) -> None:
    start.stamp_path().write_text("{", encoding="utf-8")
    assert start.read_stamp() == {}


def test_what_takes_long_says_now_and_then_that_it_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    heard = threading.Event()
    monkeypatch.setattr(start, "say", lambda text: (said.append(text), heard.set()))

    with start.still("compiling", every=0.001):
        assert heard.wait(10)

    assert re.fullmatch(r"  still compiling, \d+ s", said[0])


def test_the_engine_is_compiled_once_per_state_of_its_sources(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kernel = place / "engine/kernel"
    kernel.mkdir(parents=True)
    (kernel / "compile.py").write_text("A = 1\n")
    runs: list[tuple[str | Path, ...]] = []
    monkeypatch.setattr(start, "run_python", lambda *arguments, cwd: runs.append(arguments) or 0)
    start.compile_kernel()
    start.compile_kernel()
    (kernel / "compile.py").write_text("A = 2\n")
    start.compile_kernel()
    assert runs == [("-m", "engine.kernel.compile")] * 2


# ---------------------------------------------------------------------------------------- what goes wrong


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (["ERROR: Could not install packages: [Errno 28] No space left on device"], "The disk is full"),
        (["WARNING: Retrying ... NewConnectionError('Failed to establish a new connection')"], "No network"),
        (["ERROR: No matching distribution found for numpy==2.4.6"], "has no numpy==2.4.6"),
        (["something odd", "last words"], "last words"),
    ],
)
def test_what_pip_says_becomes_a_sentence_with_a_cure(lines: list[str], said: str) -> None:
    assert said in start.install_problem(lines, "installing packages")


def test_pip_s_progress_counts_what_is_fetched(capsys: pytest.CaptureFixture[str]) -> None:
    output = [
        "Requirement already satisfied: numba==1 in x (from -r requirements-core.txt (line 1)) (1)\n",
        "Collecting numpy==2.4.6 (from -r requirements-core.txt (line 2))\n",
        "  Downloading numpy.whl\n",
    ]
    assert start.follow_pip(output, 59) == [line.rstrip() for line in output]
    assert "2 of 59: numpy==2.4.6" in capsys.readouterr().err


def test_shared_libraries_that_do_not_load_are_named_by_their_packages() -> None:
    def load(name: str) -> object:
        if name.startswith("libEGL"):
            raise OSError(name)
        return object()

    assert start.missing_packages(start.QT_LIBRARIES, load) == ["libegl1"]


# --------------------------------------------------------------------------------------- entry scripts


def test_an_entry_script_with_its_libraries_goes_on() -> None:
    start.ensure_environment("core")
    assert str(ROOT) in sys.path


def test_an_entry_script_without_libraries_or_environment_prints_the_cure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(start, "VENV", tmp_path / ".venv")
    monkeypatch.setitem(start.PROBES, "full", ("a_library_that_is_nowhere",))
    with pytest.raises(SystemExit) as ended:
        start.ensure_environment("full")
    assert ended.value.code == 2
    assert "setup full" in capsys.readouterr().err


def test_an_entry_script_without_libraries_goes_on_in_the_environment(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[list[str]] = []
    monkeypatch.setitem(start.PROBES, "core", ("a_library_that_is_nowhere",))
    monkeypatch.setattr(start, "run", lambda command, environment: started.append([str(part) for part in command]) or 7)
    monkeypatch.setattr(sys, "orig_argv", ["python3", "research/x.py", "--seed", "1"])
    monkeypatch.delenv("TRIPHASE_RESTARTED", raising=False)
    with pytest.raises(SystemExit) as ended:
        start.ensure_environment("core")
    assert ended.value.code == 7
    assert started == [[str(start.venv_python()), "research/x.py", "--seed", "1"]]


def test_a_script_is_not_started_a_third_time(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(start.PROBES, "core", ("a_library_that_is_nowhere",))
    monkeypatch.setenv("TRIPHASE_RESTARTED", "1")
    with pytest.raises(SystemExit) as ended:
        start.ensure_environment("core")
    assert ended.value.code == 2


# -------------------------------------------------------------------------------------------- running


@pytest.mark.parametrize("code", [0, 1, 3])
def test_exit_codes_are_passed_on(code: int) -> None:
    assert start.run([sys.executable, "-c", f"raise SystemExit({code})"]) == code


@posix_only
def test_a_child_that_a_signal_ended_gives_the_shell_s_code() -> None:
    assert start.run([sys.executable, "-c", "import os; os.kill(os.getpid(), 9)"]) == 128 + 9


SIGNALLED = """
import signal, sys, start

set_handler = signal.signal

def told(number, handler):
    before = set_handler(number, handler)
    open({ready!r}, "w").close()
    return before

signal.signal = told
sys.exit(start.run([sys.executable, "-c", {program!r}]))
"""


def run_that_is_signalled(name: str, child: str, folder: Path) -> int:
    """Run ``start.run`` in a process of its own, whose child sends it a signal, and return its exit code.

    The child waits until the handler is there, and a little longer: then ``run`` waits for the child.
    """
    ready = str(folder / "ready")
    wait = f"while not os.path.exists({ready!r}): time.sleep(0.01)\n"
    program = f"import os, signal, sys, time\n{wait}time.sleep(0.1)\nos.kill(os.getppid(), signal.{name})\n{child}"
    outer = SIGNALLED.format(ready=ready, program=program)
    return subprocess.run([sys.executable, "-c", outer], cwd=ROOT, timeout=60, check=False).returncode


@posix_only
def test_ctrl_c_is_the_child_s_to_answer(tmp_path: Path) -> None:
    assert run_that_is_signalled("SIGINT", "time.sleep(0.3); sys.exit(5)", tmp_path) == 5


@posix_only
def test_a_request_to_end_is_handed_to_the_child(tmp_path: Path) -> None:
    assert run_that_is_signalled("SIGTERM", "time.sleep(50)", tmp_path) == 128 + 15


def test_all_steps_of_the_gate_run_also_when_one_fails(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ran: list[str] = []
    monkeypatch.setattr(start, "run_python", lambda name, cwd: ran.append(name) or int(name == "b"))
    assert start.run_steps([("first", ["a"]), ("second", ["b"]), ("third", ["c"])]) == 1
    assert ran == ["a", "b", "c"]
    shown = capsys.readouterr().err
    assert "FAILED second" in shown
    assert "ok     third" in shown


def test_the_gate_of_the_repository_is_the_verb_test() -> None:
    lines = (ROOT / ".ci/run").read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if not line.startswith("#")] == ["python3 start.py test"]


# ------------------------------------------------------------------------------------------------ demo


@pytest.fixture
def demo(place: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[tuple[str, ...]]]:
    """The verb demo with scripts that only leave a run's folder behind; returns what was started."""
    (place / "run_backtest.py").touch()
    started: list[tuple[str, ...]] = []

    def script(name: str, *arguments: str | Path) -> int:
        started.append((name, *map(str, arguments)))
        (place / "runs/one").mkdir(parents=True, exist_ok=True)
        (place / "runs/one/report.html").touch()
        return 0

    for name, stand_in in {
        "set_up": lambda level: None,
        "script": script,
        "ensure_qt_libraries": lambda window: None,
    }.items():
        monkeypatch.setattr(start, name, stand_in)

    def run() -> list[tuple[str, ...]]:
        assert start.main(["demo"]) == 0
        return started

    return run


def test_the_demo_opens_the_window_on_the_run_it_made(
    place: Path, demo: Callable[[], list[tuple[str, ...]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(start, "has_display", lambda: True)
    assert demo()[1] == ("run_backtest.py", "--open", str(place / "runs/one"))


def test_the_demo_without_a_display_says_where_the_report_is(
    demo: Callable[[], list[tuple[str, ...]]], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(start, "has_display", lambda: False)
    assert [call[0] for call in demo()] == ["run_backtest_headless.py"]
    assert "report.html" in capsys.readouterr().err

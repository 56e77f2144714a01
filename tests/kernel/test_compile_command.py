"""``python -m engine.kernel.compile``: what it says, what it compiles, and what it removes."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from engine.kernel import compile as command
from engine.kernel.compiling import CACHE_FOLDER, JIT, source_hash

DAY = 86_400.0
NOW = 1_700_000_000.0


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Caches of four versions: this one's, a young one, and two that nothing was written to for long."""
    for name, days in {"current": 40, "young": 13, "old": 15, "older": 400}.items():
        (tmp_path / name / "inside").mkdir(parents=True)
        (tmp_path / name / "inside" / "entry.nbi").write_bytes(b"x")
        os.utime(tmp_path / name, (NOW - days * DAY, NOW - days * DAY))
    (tmp_path / "note.txt").write_text("not a folder")
    return tmp_path


def left(root: Path) -> list[str]:
    return sorted(path.name for path in root.iterdir())


def test_folders_of_other_versions_go_after_two_weeks(root: Path) -> None:
    said: list[str] = []

    command.remove_left_behind(root, root / "current", NOW, said.append)

    assert left(root) == ["current", "note.txt", "young"]
    assert said == []


def test_a_folder_that_cannot_be_removed_is_named_and_the_others_go(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    remove = command.shutil.rmtree

    def in_use(folder: Path) -> None:
        if folder.name == "old":
            raise PermissionError("in use")
        remove(folder)

    monkeypatch.setattr(command.shutil, "rmtree", in_use)
    said: list[str] = []

    command.remove_left_behind(root, root / "current", NOW, said.append)

    assert left(root) == ["current", "note.txt", "old", "young"]
    assert said == [f"an old compiled engine could not be removed, {root / 'old'}: in use"]


def test_a_project_that_was_moved_or_changed_is_compiled_anew(tmp_path: Path) -> None:
    """What was compiled elsewhere is not found by numba, and must not pass for complete."""
    for name in ("here", "moved"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "loops.py").write_text("a")
    first = source_hash(tmp_path / "here")

    assert source_hash(tmp_path / "here") == first
    assert source_hash(tmp_path / "moved") != first
    (tmp_path / "here" / "loops.py").write_text("b")
    assert source_hash(tmp_path / "here") != first


def test_without_a_cache_there_is_nothing_to_remove(tmp_path: Path) -> None:
    assert command.left_behind(tmp_path / "nowhere", tmp_path / "nowhere" / "current", NOW) == []


@pytest.mark.skipif(not JIT, reason="there is a compiled kernel only where compilation is on")
def test_the_command_leaves_a_complete_cache_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "remove_left_behind", lambda *given: None)
    said: list[str] = []

    assert command.main(said.append) == 0

    assert (CACHE_FOLDER / "complete").is_file()
    assert "the engine" in said[-1]
    assert "compiled" in said[-1]


def test_with_compilation_off_the_command_says_that_there_is_nothing_to_do(repo_root: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "engine.kernel.compile"],
        cwd=repo_root, env={**os.environ, "NUMBA_DISABLE_JIT": "1"}, capture_output=True, text=True, check=True,
    )  # fmt: skip

    assert "NUMBA_DISABLE_JIT" in done.stdout

"""Who may write to a place: one process, until it lets go or dies; a file left behind keeps nobody out."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from data import folder_lock
from data.errors import PlaceHeldError
from data.folder_lock import Hold

HOLDING = """\
import sys
from pathlib import Path
from data.folder_lock import Hold
hold = Hold(Path(sys.argv[1]), "the place", "wait")
print("held", flush=True)
sys.stdin.read()
"""


def hold(file: Path) -> Hold:
    return Hold(file, "the place", "wait for it")


def holding(file: Path, repo_root: Path) -> "subprocess.Popen[str]":
    """Another process that holds ``file`` until its input ends."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDING, str(file)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=repo_root,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_a_second_holder_is_refused_until_the_first_lets_go(tmp_path: Path) -> None:
    file = tmp_path / ".lock"
    first = hold(file)
    with pytest.raises(PlaceHeldError, match=rf"the place is in use by process {os.getpid()} on .*; wait for it"):
        hold(file)
    first.release()
    assert list(tmp_path.iterdir()) == []
    with hold(file) as second:
        assert second.warning == ""
    assert list(tmp_path.iterdir()) == []


def test_a_process_that_is_killed_lets_go_though_its_file_stays(tmp_path: Path, repo_root: Path) -> None:
    file = tmp_path / ".lock"
    process = holding(file, repo_root)
    with pytest.raises(PlaceHeldError, match=f"process {process.pid} on"):
        hold(file)
    process.kill()
    process.communicate()
    assert file.exists()
    hold(file).release()


def test_a_file_that_nobody_holds_any_more_is_taken_over_with_the_new_name_in_it(tmp_path: Path) -> None:
    file = tmp_path / ".lock"
    file.write_text("process 1 on a machine with a much longer name than any that can be meant here\n" * 3)
    first = hold(file)
    with pytest.raises(PlaceHeldError) as refused:
        hold(file)
    first.release()
    assert f"process {os.getpid()}" in str(refused.value)
    assert "much longer name" not in str(refused.value)


@pytest.mark.skipif(sys.platform == "win32", reason="an open file cannot be removed there")
def test_whoever_opened_the_file_just_before_it_was_removed_holds_the_new_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else two processes would each hold a file of the same name."""
    file, take = tmp_path / ".lock", folder_lock._take
    removed = []

    def late(handle: int) -> None:
        if not removed:
            file.unlink()
            removed.append(True)
        take(handle)

    monkeypatch.setattr(folder_lock, "_take", late)
    first = hold(file)
    with pytest.raises(PlaceHeldError):
        hold(file)
    first.release()


def test_a_file_system_without_locks_is_said_and_not_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unable(_: int) -> None:
        raise OSError(errno.ENOTSUP, "Operation not supported")

    monkeypatch.setattr(folder_lock, "_take", unable)
    with hold(tmp_path / ".lock") as one:
        assert "the file system has no locks (Operation not supported)" in one.warning
    assert list(tmp_path.iterdir()) == []


def test_another_error_of_the_disk_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(folder_lock, "_take", broken)
    with pytest.raises(OSError, match="Input/output error"):
        hold(tmp_path / ".lock")

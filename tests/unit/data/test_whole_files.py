"""Files are replaced whole or not at all, and what fails leaves nothing beside them."""

import os
import stat
import sys
from pathlib import Path

import pytest

from data.whole_files import PRIVATE, replace_file


@pytest.mark.parametrize("durable", [False, True])
def test_a_file_has_the_new_content_and_nothing_is_left_beside_it(tmp_path: Path, durable: bool) -> None:
    file = tmp_path / "state.npz"
    file.write_bytes(b"a longer old content")

    replace_file(file, memoryview(b"new"), durable=durable)

    assert file.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [file]


def test_a_disk_that_refuses_leaves_the_old_file_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "state.npz"
    file.write_bytes(b"old")

    def refuse(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(OSError, match="No space left"):
        replace_file(file, b"new", durable=True)

    assert file.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [file]


def test_a_place_that_is_taken_by_a_folder_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "ppo.npz").mkdir()

    with pytest.raises(OSError, match=r"ppo\.npz"):
        replace_file(tmp_path / "ppo.npz", b"new")

    assert [path.name for path in tmp_path.iterdir()] == ["ppo.npz"]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such modes")
def test_a_private_file_is_for_its_owner_alone_and_another_one_for_whom_the_mask_lets(tmp_path: Path) -> None:
    mask = os.umask(0o022)
    try:
        replace_file(tmp_path / "tokens.json", b"{}", mode=PRIVATE)
        replace_file(tmp_path / "model.npz", b"")
    finally:
        os.umask(mask)

    assert [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("tokens.json", "model.npz")] == [0o600, 0o644]

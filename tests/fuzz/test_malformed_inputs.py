"""Malformed files: each is read or refused in words, never a crash, and what is damaged is not served in silence."""

import random
import shutil
from pathlib import Path

import pytest

from data.errors import TriphaseError
from tests.fuzz.damage import damaged
from tests.fuzz.subjects import SUBJECTS, Subject

QUICK = 12
WHOLE = 10_000


def _trial(subject: Subject, good: Path, folder: Path, chance: random.Random) -> str | None:
    """Damage one file of a fresh copy and read it; the text of the refusal, None where it was taken."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(good, folder)
    file = chance.choice(sorted(folder.glob(chance.choice(subject.files))))
    file.write_bytes(damaged(file.read_bytes(), chance, subject.ways))
    return _refusal(subject, folder)


def _refusal(subject: Subject, folder: Path) -> str | None:
    """Read what lies in a folder; the text of the refusal, None where it was taken."""
    try:
        subject.read(folder)
    except TriphaseError as error:
        return str(error)
    return None


def _tried(name: str, count: int, tmp_path: Path) -> dict[str, int]:
    """How many of ``count`` malformed inputs were refused and taken; whatever else happens fails the test."""
    subject, good = SUBJECTS[name], tmp_path / "good"
    good.mkdir()
    subject.make(good)
    told = {"refused": 0, "taken": 0}
    for number in range(count):
        try:
            refusal = _trial(subject, good, tmp_path / "tried", random.Random(f"{name} {number}"))
        except Exception as error:
            raise AssertionError(f"{name}, input {number}: {type(error).__name__}: {error}") from error
        told["taken" if refusal is None else "refused"] += 1
        assert refusal is None or len(refusal) > 20, f"{name}, input {number}: refused without a reason: {refusal!r}"
    return told


@pytest.mark.parametrize("name", SUBJECTS)
def test_a_good_one_is_taken(name: str, tmp_path: Path) -> None:
    SUBJECTS[name].make(tmp_path)

    assert _refusal(SUBJECTS[name], tmp_path) is None


@pytest.mark.parametrize("name", SUBJECTS)
def test_malformed_inputs_are_read_or_refused_in_words(name: str, tmp_path: Path) -> None:
    told = _tried(name, QUICK, tmp_path)
    assert sum(told.values()) == QUICK


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("name", SUBJECTS)
def test_ten_thousand_malformed_inputs_are_read_or_refused_in_words(name: str, tmp_path: Path) -> None:
    """The numbers are a share of ten thousand; both must occur, or the damage says nothing."""
    told = _tried(name, -(-WHOLE // len(SUBJECTS)), tmp_path)
    assert told["refused"] > 0 or name == "layouts"  # which are set aside, never refused
    assert told["taken"] > 0 or name == "learner's state"

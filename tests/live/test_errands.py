"""What is done aside: whoever waits for an answer gets one, whatever becomes of the work."""

import logging
import time

import pytest

from data.errors import NetworkError, TriphaseError
from engine.live.errands import Errands


def told_of(errands: Errands, work: object) -> list[object]:
    """What comes back of an errand, an answer or an error."""
    told: list[object] = []
    errands.run("the errand", work, told.append, told.append)  # type: ignore[arg-type]
    deadline = time.monotonic() + 10.0
    while not told:
        errands.poll()
        time.sleep(0.002)
        assert time.monotonic() < deadline
    return told


def test_an_answer_and_a_refusal_are_handed_over() -> None:
    assert told_of(Errands(), lambda: 7) == [7]

    def refused() -> None:
        raise NetworkError("no network")

    (error,) = told_of(Errands(), refused)
    assert isinstance(error, NetworkError)


def test_an_error_of_our_own_is_told_too_and_logged_without_what_is_secret(caplog: pytest.LogCaptureFixture) -> None:
    """Else a sign-in that broke off would leave its button without effect until the program is started again."""

    def broken() -> None:
        raise KeyError("access_token=abcdefghijkl")

    with caplog.at_level(logging.ERROR):
        (error,) = told_of(Errands(), broken)
    assert isinstance(error, TriphaseError)
    assert str(error).startswith("the errand: KeyError: ")
    assert "abcdefghijkl" not in str(error) + caplog.text

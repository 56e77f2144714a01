"""Writing behind the back of the thread that polls: in order, all of it, and a disk that refuses is only said."""

import logging
import threading

import pytest

from engine.live.behind import Behind


def test_work_is_done_in_order_in_another_thread_and_all_of_it_before_the_end() -> None:
    done: list[tuple[int, str]] = []
    behind = Behind("recording")
    for number in range(100):
        behind.run("", lambda number=number: done.append((number, threading.current_thread().name)))  # type: ignore[misc]

    assert behind.finish(30.0)
    assert done == [(number, "recording") for number in range(100)]


def test_the_caller_does_not_wait_for_work_that_takes_long() -> None:
    free = threading.Event()
    behind = Behind("recording")
    behind.run("", free.wait)
    waited = behind.finish(0.0)
    free.set()

    assert not waited
    assert behind.finish(30.0)


def test_a_disk_that_refuses_is_said_and_what_follows_is_done(caplog: pytest.LogCaptureFixture) -> None:
    def refuse() -> None:
        raise OSError(28, "No space left on device")

    done: list[int] = []
    behind = Behind("recording")
    with caplog.at_level(logging.WARNING):
        behind.run("ES: a bar could not be recorded", refuse)
        behind.run("", lambda: done.append(1))
        assert behind.finish(30.0)

    assert caplog.messages == ["ES: a bar could not be recorded: No space left on device"]
    assert done == [1]


def test_an_error_of_our_own_is_logged_and_what_follows_is_done(caplog: pytest.LogCaptureFixture) -> None:
    done: list[int] = []
    behind = Behind("recording")
    with caplog.at_level(logging.ERROR):
        behind.run("ES: a bar could not be recorded", lambda: 1 // 0)
        behind.run("", lambda: done.append(1))
        assert behind.finish(30.0)

    assert done == [1]
    assert caplog.messages == ["ES: a bar could not be recorded"]
    assert "ZeroDivisionError" in caplog.text


def test_nothing_was_given_nothing_is_waited_for() -> None:
    assert Behind("recording").finish(0.0)

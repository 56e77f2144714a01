"""The guards around every test hold: no network but loopback, warnings are errors, fixtures stand outside the tree."""

import socket
import warnings
from pathlib import Path

import pytest

from tests.house.tree import ROOT


def test_a_connection_to_another_machine_is_refused() -> None:
    with pytest.raises(UserWarning, match="tried to use socket"):
        socket.create_connection(("192.0.2.1", 80), timeout=0.1)


def test_a_connection_to_this_machine_is_allowed() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as client:
        assert client.getpeername() == server.getsockname()


def test_a_warning_is_an_error() -> None:
    with pytest.raises(DeprecationWarning):
        warnings.warn("old", DeprecationWarning, stacklevel=1)


def test_the_optional_fixtures_are_no_part_of_the_project(shared_dir: Path) -> None:
    assert not shared_dir.is_relative_to(ROOT)

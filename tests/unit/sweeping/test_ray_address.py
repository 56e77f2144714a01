"""The address of a Ray cluster: where nothing answers, that is said within seconds and before anything is shipped."""

import socket
from pathlib import Path
from typing import Any

import pytest

from engine.errors import ConfigError
from research.sweeping import cluster
from research.sweeping.cluster import Ray, check_reachable
from tests.sweep.worlds import planned


def closed_port() -> int:
    """A port of this machine at which nobody listens."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


@pytest.mark.parametrize("form", ["127.0.0.1:{}", "ray://127.0.0.1:{}"])
def test_an_address_at_which_nobody_listens_is_refused_before_ray_tries_it(
    form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ray would try for two minutes, and Ctrl-C would have to wait for it."""

    class Unused:
        def __getattr__(self, name: str) -> Any:
            raise AssertionError(f"ray.{name} was used")

    monkeypatch.setattr(cluster, "_imported", Unused)
    monkeypatch.setattr(cluster, "ship", lambda *_: pytest.fail("shipped"))
    plan, library = planned(tmp_path)
    address = form.format(closed_port())
    with pytest.raises(ConfigError, match=rf"no Ray cluster answers at {address}: .*; start one there, or take --ray"):
        next(iter(Ray(plan, library, address).rows([])))


@pytest.mark.parametrize(
    ("address", "asked"),
    [
        ("10.0.0.7:6379", ("10.0.0.7", 6379)),
        ("[fd00::7]:6379", ("fd00::7", 6379)),
        ("ray://head", ("head", 10001)),
        ("ray://head:1234", ("head", 1234)),
    ],
)
def test_an_address_that_answers_nothing_at_all_is_given_up_after_seconds(
    address: str, asked: tuple[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[tuple[tuple[str, int], float]] = []

    def silent(place: tuple[str, int], timeout: float) -> socket.socket:
        tried.append((place, timeout))
        raise TimeoutError("timed out")

    monkeypatch.setattr(socket, "create_connection", silent)
    with pytest.raises(ConfigError, match="timed out"):
        check_reachable(address)
    assert tried == [(asked, 5.0)]


def test_ctrl_c_while_an_address_is_tried_ends_the_command_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object, **__: object) -> socket.socket:
        raise KeyboardInterrupt

    monkeypatch.setattr(socket, "create_connection", interrupted)
    with pytest.raises(KeyboardInterrupt):
        check_reachable("10.0.0.7:6379")


def test_a_listener_passes_and_what_is_no_address_is_left_to_ray(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    with socket.create_server(("127.0.0.1", 0)) as one:
        one.settimeout(10.0)
        check_reachable(f"127.0.0.1:{one.getsockname()[1]}")
        heard, _ = one.accept()
        heard.close()
    tried: list[object] = []
    monkeypatch.setattr(socket, "create_connection", lambda *given, **_: tried.append(given))
    for left in ("local", "auto", "head", "head:port", "other://cluster"):
        check_reachable(left)

    assert tried == []


def test_the_cluster_that_the_environment_names_is_tried_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_ADDRESS", f"127.0.0.1:{closed_port()}")
    with pytest.raises(ConfigError, match=r"at auto \(RAY_ADDRESS 127.0.0.1:"):
        check_reachable("auto")

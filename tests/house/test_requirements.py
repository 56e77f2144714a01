"""The pinned requirements are complete, agree with each other, and name no place that packages come from."""

import re

import pytest

from tests.house.tree import ROOT

TXT = ["requirements-core.txt", "requirements-dev.txt", "requirements-ray.txt", "requirements.txt"]
TRAINING = {"torch", "stable-baselines3", "gymnasium"}


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def pinned(file: str) -> dict[str, str]:
    lines = [line.split("#")[0].split(";")[0].strip() for line in (ROOT / file).read_text().splitlines()]
    return {normal(name): version for name, _, version in (line.partition("==") for line in lines if line)}


def asked_for(file: str) -> set[str]:
    lines = [line.split("#")[0].split(";")[0].strip() for line in (ROOT / file).read_text().splitlines()]
    return {normal(re.split(r"[=<>]", line)[0]) for line in lines if line and not line.startswith("-")}


@pytest.mark.parametrize("file", TXT)
def test_every_line_is_a_pin_or_a_comment(file: str) -> None:
    pin = re.compile(r"[a-z0-9][a-z0-9.-]*==[\w.]+( ; sys_platform == \"\w+\")?")
    lines = (ROOT / file).read_text().splitlines()
    assert [line for line in lines if line and not line.startswith("#") and not pin.fullmatch(line)] == []


@pytest.mark.parametrize("file", TXT)
def test_what_is_asked_for_is_pinned(file: str) -> None:
    assert asked_for(file.replace(".txt", ".in")) <= set(pinned(file))


@pytest.mark.parametrize("file", [*TXT, *(name.replace(".txt", ".in") for name in TXT)])
def test_no_place_that_packages_come_from_is_named(file: str) -> None:
    assert not re.search(r"://|index-url|find-links|trusted-host", (ROOT / file).read_text())


@pytest.mark.parametrize("file", TXT[1:])
def test_all_sets_agree_with_the_core_on_versions(file: str) -> None:
    core, other = pinned("requirements-core.txt"), pinned(file)
    assert {name: version for name, version in other.items() if core.get(name, version) != version} == {}


def test_the_full_set_holds_the_core_and_training() -> None:
    assert set(pinned("requirements-core.txt")) | TRAINING <= set(pinned("requirements.txt"))


def test_the_development_set_holds_the_core() -> None:
    assert set(pinned("requirements-core.txt")) <= set(pinned("requirements-dev.txt"))


def test_the_core_holds_nothing_of_training() -> None:
    assert not TRAINING & set(pinned("requirements-core.txt"))


def test_torch_is_pinned_without_a_build_and_named_before_what_depends_on_it() -> None:
    lines = [line for line in (ROOT / "requirements.txt").read_text().splitlines() if not line.startswith("#")]
    assert lines[0] == "torch==2.13.0"


def test_the_full_set_leaves_cuda_to_the_build_that_is_installed() -> None:
    assert not [name for name in pinned("requirements.txt") if name.startswith(("nvidia-", "cuda-", "triton"))]


def test_qt_is_pinned_to_the_versions_whose_wheels_match() -> None:
    core = pinned("requirements-core.txt")
    assert (core["pyqt6"], core["pyqt6-qt6"], core["pyqtgraph"]) == ("6.11.0", "6.11.2", "0.14.0")

"""The table of benchmarks says what is kept and what is missed; starting loads nothing that it should not."""

from tests.bench.measuring import Series, in_turns
from tests.bench.rows import Row, table
from tests.bench.starting import to_first_bar
from tests.bench.sweeping import Stretch, together


def test_a_row_says_whether_its_budget_is_kept() -> None:
    assert Row("a", 1.0, "x", 1.0).verdict == "kept"
    assert Row("a", 1.1, "x", 1.0).verdict == "MISSED"
    assert Row("a", 1.1, "x").verdict == ""
    lines = table([Row("short", 1.0, "x", 2.0, "fact"), Row("much longer", 12.345, "ns")]).splitlines()
    assert lines[1] == "short        1 x       2       kept  fact"
    assert lines[2] == "much longer  12.3 ns"


def test_ratios_are_medians_of_pairs() -> None:
    found = Series({"a": [1.0, 4.0, 9.0], "b": [1.0, 2.0, 1.0]})
    assert found.typical("a") == 4.0
    assert found.ratio("a", "b") == 2.0


def test_works_are_measured_in_turns_after_one_that_does_not_count() -> None:
    done: list[str] = []

    def prepare(name: str) -> object:
        done.append(f"prepare {name}")
        return lambda: done.append(name)

    found = in_turns({"a": lambda: prepare("a"), "b": lambda: prepare("b")}, 2)  # type: ignore[arg-type, return-value]

    assert done == ["prepare a", "a", "prepare b", "b"] * 3
    assert [len(each) for each in found.seconds.values()] == [2, 2]


def test_a_headless_start_loads_neither_torch_nor_qt_nor_pandas() -> None:
    _, loaded = to_first_bar()
    assert loaded == []


def test_two_threads_wait_for_each_other_s_lock_and_for_nothing_else() -> None:
    free = [Stretch(1.0, locked=False)]
    assert together([free] * 4, 2) == 2.0
    assert together([[Stretch(1.0, locked=True)]] * 4, 2) == 4.0
    mixed = [Stretch(1.0, locked=True), Stretch(3.0, locked=False)]
    assert together([mixed] * 2, 2) == 5.0
    assert together([mixed] * 2, 1) == 8.0

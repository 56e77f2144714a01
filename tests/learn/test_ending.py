"""How learning commands end: the exit code, and what is said on the error line."""

from pathlib import Path

import pytest

from data.errors import DataError
from research.learning.ending import exit_code

OUT = Path("models/mine")


@pytest.mark.parametrize(("finished", "code"), [(True, 0), (False, 130)])
def test_work_that_ends_by_itself_has_said_all(finished: bool, code: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code(lambda: finished, OUT, "; kept") == code
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("raised", "code", "said"),
    [
        (DataError("no bars"), 2, "error: no bars\n"),
        (
            PermissionError(13, "Permission denied", "a.npz"), 2,
            "error: a.npz cannot be written: Permission denied; name another place with --out\n",
        ),
        (
            OSError("disk gone"), 2,
            f"error: {OUT} cannot be written: disk gone; name another place with --out\n",
        ),
        (KeyboardInterrupt(), 130, "stopped; what is there is whole\n"),
    ],
)  # fmt: skip
def test_what_ends_a_command_is_told_and_has_its_exit_code(
    raised: BaseException, code: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    def work() -> bool:
        raise raised

    assert exit_code(work, OUT, "; what is there is whole") == code
    assert capsys.readouterr().err == said

"""Every test says in its own body what it holds: an assert, an error that must come, or a comparison of numpy's.

And no test stands on another one: what they share is in modules beside them.
"""

import ast

import pytest

from tests.house.tree import Function, functions, python_files, relative, syntax

EXPECTING = {"raises", "warns"}


def asserts(test: Function) -> bool:
    """Whether something in a test's body can fail it, in words that a reader knows for such."""
    for node in ast.walk(test):
        if isinstance(node, ast.Assert):
            return True
        if isinstance(node, ast.Attribute) and (node.attr in EXPECTING or node.attr.startswith("assert_")):
            return True
    return False


def test_every_test_asserts_something_in_its_own_body() -> None:
    """Helpers return what they found, and the test asserts it: pytest then shows both sides."""
    silent = [
        f"{relative(path)}:{node.lineno} {node.name}"
        for path in python_files("tests")
        if path.name.startswith("test_")
        for node in functions(path)
        if node.name.startswith("test_") and not asserts(node)
    ]
    assert not silent, "\n".join(silent)


def test_no_test_module_is_imported() -> None:
    """What several tests need stands beside them: pytest would load an imported test module a second time."""
    imported = [
        f"{relative(path)}:{node.lineno} {node.module}"
        for path in python_files("tests")
        for node in ast.walk(syntax(path))
        if isinstance(node, ast.ImportFrom) and (node.module or "").rpartition(".")[2].startswith("test_")
    ]
    assert not imported, "\n".join(imported)


@pytest.mark.parametrize(
    ("body", "held"),
    [
        ("assert made == 1", True),
        ("with pytest.raises(ValueError): make()", True),
        ("numpy.testing.assert_array_equal(made, wanted)", True),
        ("check(made)", False),
        ("until(lambda: made)", False),
        ("'assert made'", False),
    ],
)
def test_a_test_that_only_calls_is_told_from_one_that_asserts(body: str, held: bool) -> None:
    (test,) = ast.parse(f"def test() -> None:\n    {body}").body
    assert isinstance(test, ast.FunctionDef)

    assert asserts(test) is held

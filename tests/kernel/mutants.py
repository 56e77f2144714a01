"""How the kernel's deciding files can be made wrong in one place: a mutant is one such change.

Only what happens when a function runs is changed: bodies, not signatures, decorators, docstrings or constants of the
module.
"""

import ast
import copy
from collections.abc import Iterator
from dataclasses import dataclass

Change = tuple[str, ast.AST]

_COMPARISONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.Gt),
    ast.LtE: (ast.Lt, ast.GtE),
    ast.Gt: (ast.GtE, ast.Lt),
    ast.GtE: (ast.Gt, ast.LtE),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
}
_OPERATORS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
}
_OTHER_NAMES = {"min": "max", "max": "min", "floor": "ceil", "ceil": "floor", "isnan": "isfinite", "isfinite": "isnan"}


@dataclass(frozen=True)
class Mutant:
    """One wrong version of a file.

    Attributes:
        file: name of the kernel file; line: where it differs.
        what: what was done; before, after: the statement in question.
        source: the whole wrong file.
    """

    file: str
    line: int
    what: str
    before: str
    after: str
    source: str


def mutants_of(file: str, source: str) -> list[Mutant]:
    """Every mutant of a file."""
    tree = ast.parse(source)
    count = sum(1 for _ in _places(tree))
    return [mutant for number in range(count) for mutant in _at_place(file, source, number)]


def _at_place(file: str, source: str, number: int) -> Iterator[Mutant]:
    """The mutants of one place: the tree is parsed anew for each, changed there, and written out."""
    for choice in range(4):
        tree = ast.parse(source)
        statement, node = list(_places(tree))[number]
        changes = list(_changes(node))
        if choice >= len(changes):
            return
        before = ast.unparse(statement)
        what, other = changes[choice]
        _replace(tree, node, other)
        after = ast.unparse(ast.fix_missing_locations(other if statement is node else statement))
        line = getattr(node, "lineno", getattr(statement, "lineno", 0))
        yield Mutant(file, line, what, _head(before), _head(after), ast.unparse(ast.fix_missing_locations(tree)))


def _head(text: str) -> str:
    """A statement without the body that hangs on it."""
    return text.splitlines()[0]


def _places(tree: ast.Module) -> Iterator[tuple[ast.stmt, ast.AST]]:
    """Every node that can be changed, with the statement it belongs to."""
    for function in tree.body:
        if isinstance(function, ast.FunctionDef):
            for statement in function.body[1:]:
                yield from _inside(statement)


def _inside(statement: ast.stmt) -> Iterator[tuple[ast.stmt, ast.AST]]:
    yield statement, statement
    for child in ast.iter_child_nodes(statement):
        if isinstance(child, ast.stmt):
            yield from _inside(child)
        else:
            yield from ((statement, node) for node in ast.walk(child))


def _replace(tree: ast.AST, node: ast.AST, other: ast.AST) -> None:
    """Put one node in another's place."""
    for parent in ast.walk(tree):
        for name, value in ast.iter_fields(parent):
            if value is node:
                setattr(parent, name, other)
                return
            if isinstance(value, list) and any(each is node for each in value):
                value[[each is node for each in value].index(True)] = other
                return


def _changes(node: ast.AST) -> Iterator[Change]:
    """What can be done to a node, with a name."""
    if isinstance(node, ast.Compare):
        for kind in _COMPARISONS.get(type(node.ops[0]), ()):
            other = copy.deepcopy(node)
            other.ops[0] = kind()
            yield "comparison", other
    elif isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
        yield "operator", ast.BinOp(node.left, _OPERATORS[type(node.op)](), node.right)
    elif isinstance(node, ast.BoolOp):
        yield "and/or", ast.BoolOp(ast.Or() if isinstance(node.op, ast.And) else ast.And(), node.values)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.Not):
        yield "sign", node.operand
    elif isinstance(node, ast.IfExp):
        yield "branches", ast.IfExp(node.test, node.orelse, node.body)
    elif isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        yield "constant", ast.Constant(node.value + 1)
    elif isinstance(node, ast.Attribute) and node.attr in _OTHER_NAMES:
        yield "function", ast.Attribute(node.value, _OTHER_NAMES[node.attr], node.ctx)
    elif isinstance(node, ast.Name) and node.id in _OTHER_NAMES:
        yield "function", ast.Name(_OTHER_NAMES[node.id], node.ctx)
    elif isinstance(node, ast.Expr | ast.Assign | ast.AugAssign):
        yield "dropped", ast.Pass()

"""How a YAML text is read: YAML 1.2 scalars (``ON`` is a text, ``1e-4`` a number), each key with its line."""

import re
from dataclasses import dataclass, field
from typing import Any

import yaml

from engine.errors import ConfigError, KeyPath, Problem

_MAP_TAG = "tag:yaml.org,2002:map"
_SEQUENCE_TAG = "tag:yaml.org,2002:seq"
_DEEPEST = 50
# Aliases of aliases make a short text stand for more values than memory holds.
_MOST_VALUES = 1_000_000


class _CoreLoader(yaml.SafeLoader):
    """SafeLoader with the scalars of YAML 1.2: no yes/no/on/off, no base 60, no octal by a leading zero."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}
    depth = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        """One level deeper; the library would go on until Python's stack ends."""
        self.depth += 1
        if self.depth > _DEEPEST:
            mark = self.get_mark()
            raise yaml.MarkedYAMLError(problem=f"it is nested more than {_DEEPEST} levels deep", problem_mark=mark)
        node: yaml.Node | None = super().compose_node(parent, index)
        self.depth -= 1
        return node


_RESOLVERS = {
    "bool": (r"true|True|TRUE|false|False|FALSE", "tTfF"),
    "null": (r"~|null|Null|NULL|", "~nN\0"),
    "int": (r"[-+]?[0-9][0-9_]*", "-+0123456789"),
    "float": (
        r"[-+]?(\.[0-9]+|[0-9][0-9_]*(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)",
        "-+0123456789.",
    ),
    "merge": (r"<<", "<"),
    "timestamp": (
        r"[0-9]{4}-[0-9]{2}-[0-9]{2}([Tt ][0-9]{1,2}:[0-9]{2}:[0-9]{2}(\.[0-9]*)?\s*(Z|[-+][0-9]{1,2}(:?[0-9]{2})?)?)?",
        "0123456789",
    ),
}  # fmt: skip
for _tag, (_pattern, _first) in _RESOLVERS.items():
    _CoreLoader.add_implicit_resolver(
        f"tag:yaml.org,2002:{_tag}", re.compile(f"^(?:{_pattern})$"), [c if c != "\0" else "" for c in _first]
    )


@dataclass
class YamlText:
    """Plain data of a YAML text, and the line (from 1) of every key and list item."""

    values: dict[str, Any] = field(default_factory=dict)
    lines: dict[KeyPath, int] = field(default_factory=dict)


def read_scalar(text: str) -> object:
    """One value as YAML reads it: ``34``, ``true``, ``null``, ``[1, 2]``, ``2024-03-08``, else a text.

    Raises:
        ConfigError: where the text is no YAML, no such date or number, or names a key twice.
    """
    reader = _Reader("value")
    loader = _CoreLoader(text)
    try:
        node = loader.get_single_node()
        value = None if node is None else reader.value(loader, node, ())
    except yaml.YAMLError as error:
        raise ConfigError(f"{text!r} cannot be read: {_reason(error)}") from None
    except ValueError as error:
        raise ConfigError(f"{text!r} cannot be read: {error}") from None
    finally:
        loader.dispose()
    if reader.problems:
        raise ConfigError("; ".join(problem.text for problem in reader.problems))
    return value


def read_yaml(text: str, source: str) -> YamlText:
    """Values and lines of a YAML text; ``source`` names it in errors.

    Raises:
        ConfigError: where it is no YAML, not a mapping, or names a key twice; with the line.
    """
    reader = _Reader(source)
    loader = None
    try:
        loader = _CoreLoader(text)
        node = loader.get_single_node()
        if node is None:
            raise ConfigError(f"{source} is empty; configs/full.yaml shows every key")
        values = reader.value(loader, node, ())
    except yaml.YAMLError as error:
        raise ConfigError(f"{source}{_line(error)} is not valid YAML: {_reason(error)}") from None
    finally:
        if loader is not None:
            loader.dispose()
    if not isinstance(values, dict):
        raise ConfigError(f"{source} does not hold keys and values; configs/full.yaml shows every key")
    if reader.problems:
        raise ConfigError.of(reader.problems)
    return YamlText(values, reader.lines)


class _Reader:
    """Walks the nodes of one text."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.lines: dict[KeyPath, int] = {}
        self.problems: list[Problem] = []
        self._open: set[int] = set()
        self._flat: set[int] = set()
        self._values = 0

    def value(self, loader: _CoreLoader, node: yaml.Node, path: KeyPath) -> Any:
        self._values += 1
        if self._values > _MOST_VALUES:
            raise yaml.MarkedYAMLError(
                problem=f"its aliases stand for more than {_MOST_VALUES:,} values", problem_mark=node.start_mark
            )
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(loader, node, path)
        if node.tag not in {_MAP_TAG, _SEQUENCE_TAG}:
            self._refuse(path, node, f"the tag {node.tag} has no meaning here; leave it out")
        if id(node) in self._open:
            self._refuse(path, node, "an alias leads back to itself")
            return None
        self._open.add(id(node))
        try:
            if isinstance(node, yaml.MappingNode):
                return self._mapping(loader, node, path)
            return [self._item(loader, item, (*path, i)) for i, item in enumerate(node.value)]
        finally:
            self._open.discard(id(node))

    def _key(self, loader: _CoreLoader, node: yaml.Node) -> object:
        """A key; None where it is no text, as 2024-02-30 is none."""
        try:
            return loader.construct_object(node) if isinstance(node, yaml.ScalarNode) else None
        except ValueError:
            return None

    def _scalar(self, loader: _CoreLoader, node: yaml.ScalarNode, path: KeyPath) -> object:
        try:
            if node.tag == "tag:yaml.org,2002:int":
                return int(node.value)
            if node.tag == "tag:yaml.org,2002:float":
                return float(node.value.replace(".inf", "inf").replace(".nan", "nan"))
            return loader.construct_object(node)
        except ValueError as error:
            self._refuse(path, node, f"{node.value} cannot be read: {error}")
            return None

    def _item(self, loader: _CoreLoader, node: yaml.Node, path: KeyPath) -> object:
        self.lines[path] = node.start_mark.line + 1
        return self.value(loader, node, path)

    def _mapping(self, loader: _CoreLoader, node: yaml.MappingNode, path: KeyPath) -> dict[str, Any]:
        if id(node) not in self._flat:
            self._refuse_twice(node, path)
            loader.flatten_mapping(node)
            self._flat.add(id(node))
        result: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = self._key(loader, key_node)
            inner = (*path, str(key))
            self.lines[inner] = key_node.start_mark.line + 1
            if isinstance(key, str):
                result[key] = self.value(loader, value_node, inner)
            else:
                self._refuse(inner, key_node, f"the key {key_node.value} is not text; put it in quotes")
        return result

    def _refuse_twice(self, node: yaml.MappingNode, path: KeyPath) -> None:
        """Refuse a key written twice; one that only a merge (``<<``) brings in may be written again."""
        first: dict[str, yaml.Node] = {}
        for key, _ in node.value:
            before = first.setdefault(str(key.value), key)
            if before is not key:
                where = f"in line {before.start_mark.line + 1}"
                self._refuse((*path, str(key.value)), key, f"the key stands {where} too; keep one of them")

    def _refuse(self, path: KeyPath, node: yaml.Node, text: str) -> None:
        self.problems.append(Problem(path, text, f"{self.source}:{node.start_mark.line + 1}"))


def _line(error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    return f":{mark.line + 1}" if mark is not None else ""


def _reason(error: yaml.YAMLError) -> str:
    problem = getattr(error, "problem", None) or str(error)
    context = getattr(error, "context", None)
    return f"{problem} ({context})" if context else str(problem)

"""How a value that a model refuses is described: the value, what is allowed, the nearest known key."""

from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from data.spelling import alike, nearest, nearest_or_all
from engine.errors import KeyPath, Problem

_LONGEST_VALUE = 60
_COMPARISONS = {"greater_than": ">", "greater_than_equal": ">=", "less_than": "<", "less_than_equal": "<="}
_KINDS = {
    "float_type": "a number",
    "int_type": "a whole number",
    "bool_type": "true or false",
    "finite_number": "a finite number",
    "path_type": "a file name",
    "tuple_type": "a list",
    "list_type": "a list",
    "dict_type": "a mapping of keys to values",
    "mapping_type": "a mapping of keys to values",
    "model_type": "a mapping of keys to values",
    "model_attributes_type": "a mapping of keys to values",
}


def shown(value: object) -> str:
    """A value as a configuration file would have it, cut to a readable length."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        text = f'"{value}"'
    elif isinstance(value, date | datetime | Path):
        text = str(value)
    else:
        text = repr(value)
    return text if len(text) <= _LONGEST_VALUE else text[: _LONGEST_VALUE - 3] + "..."


def problems_of(error: ValidationError, model: type[BaseModel]) -> list[Problem]:
    """Every refusal in ``error``, worded; ``model`` is the model that was being filled."""
    return [_problem(details, model) for details in error.errors(include_url=False)]


def _problem(details: ErrorDetails, model: type[BaseModel]) -> Problem:
    context: Mapping[str, Any] = details.get("ctx", {})
    path: KeyPath = tuple(details["loc"]) + tuple(context.get("at", ()))
    return Problem(path, _text(details, context, model))


def _text(details: ErrorDetails, context: Mapping[str, Any], model: type[BaseModel]) -> str:
    kind, value = details["type"], details["input"]
    if kind in _COMPARISONS:
        limit = next(context[name] for name in ("gt", "ge", "lt", "le") if name in context)
        return f"{shown(value)} is not {_COMPARISONS[kind]} {limit:g}"
    if kind in _KINDS:
        return f"{shown(value)} is not {_KINDS[kind]}{_quoted_number(kind, value)}"
    if kind == "extra_forbidden":
        return _unknown_key(details["loc"], model)
    if kind == "missing":
        return "is missing; it has no default"
    if kind == "string_type":
        return f"{shown(value)} is not text; put it in quotes"
    if kind in {"literal_error", "enum"}:
        return _not_a_choice(value, context)
    return f"{shown(value)}: {details['msg']}" if kind in {"value_error", "assertion_error"} else details["msg"]


def _quoted_number(kind: str, value: object) -> str:
    """A hint where a number or a bool was written in quotes."""
    if kind in {"float_type", "int_type", "bool_type"} and isinstance(value, str):
        return "; write it without quotes" if _reads_as(kind, value) else ""
    return ""


def _reads_as(kind: str, text: str) -> bool:
    if kind == "bool_type":
        return text.casefold() in {"true", "false"}
    try:
        float(text)
    except ValueError:
        return False
    return True


def _not_a_choice(value: object, context: Mapping[str, Any]) -> str:
    expected = str(context.get("expected", "")).replace(" or ", ", ").replace("'", "")
    choices = [choice.strip() for choice in expected.split(",")]
    return f"{shown(value)} is not one of {', '.join(choices)}{nearest(value, choices)}"


def _unknown_key(path: KeyPath, model: type[BaseModel]) -> str:
    """An unknown key, with the nearest of its section, or the sections in which the key does exist."""
    *parents, key = path
    here = model_at(model, tuple(parents))
    known = list(here.model_fields) if here is not None else []
    elsewhere = [place for place in _sections_with(model, str(key)) if place]
    if elsewhere and not alike(key, known, likeness=0.8):
        return f"unknown key; it belongs to {' or '.join(elsewhere)}"
    if here is not None and "settings" in here.model_fields:
        part = parents[-1] if parents else "part"
        return f"unknown key{nearest_or_all(key, known)}; settings of a {part} go below settings:"
    return f"unknown key{nearest_or_all(key, known)}"


def _sections_with(model: type[BaseModel], key: str) -> list[str]:
    sections = ((name, _model_in(info.annotation)) for name, info in model.model_fields.items())
    return [name for name, section in sections if section is not None and key in section.model_fields]


def model_at(model: type[BaseModel], path: KeyPath) -> type[BaseModel] | None:
    """The model that holds the keys at ``path``, None where plain values or mappings are held."""
    here: type[BaseModel] | None = model
    for part in path:
        if here is None:
            return None
        if isinstance(part, str):
            info = here.model_fields.get(part)
            here = None if info is None else _model_in(info.annotation)
    return here


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """The model inside ``Model``, ``Model | None`` or ``tuple[Model, ...]``."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    if get_origin(annotation) is dict:
        return None
    return next((found for part in get_args(annotation) if (found := _model_in(part)) is not None), None)

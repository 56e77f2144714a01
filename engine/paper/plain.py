"""States of bots, exits and generators as JSON text: plain data and arrays, nothing that could carry code."""

import base64
import json
from typing import Any

import numpy as np

_ARRAY, _TUPLE = "$array", "$tuple"


def to_text(value: object) -> str:
    """Plain data (None, bools, numbers, texts, lists, tuples, mappings with text keys, arrays) as JSON.

    Raises:
        TypeError: for anything else, naming its type.
    """
    return json.dumps(_encoded(value), separators=(",", ":"))


def from_text(text: str) -> Any:
    """What ``to_text`` wrote."""
    return json.loads(text, object_hook=_decoded)


def _encoded(value: object) -> Any:
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, np.generic) and not isinstance(value, np.void):
        return value.item()
    if isinstance(value, np.ndarray):
        return {_ARRAY: _array(value)}
    if isinstance(value, tuple):
        return {_TUPLE: [_encoded(one) for one in value]}
    if isinstance(value, list):
        return [_encoded(one) for one in value]
    if isinstance(value, dict) and all(isinstance(key, str) for key in value):
        return {key: _encoded(one) for key, one in value.items()}
    raise TypeError(f"a {type(value).__name__} is no plain data: use numbers, texts, lists, mappings and arrays")


def _array(value: np.ndarray[Any, Any]) -> list[object]:
    if value.dtype.hasobject:
        raise TypeError("an array of Python objects is no plain data")
    data = base64.b64encode(np.ascontiguousarray(value).tobytes()).decode("ascii")
    return [np.lib.format.dtype_to_descr(value.dtype), list(value.shape), data]


def _decoded(mapping: dict[str, Any]) -> Any:
    if set(mapping) == {_TUPLE}:
        return tuple(mapping[_TUPLE])
    if set(mapping) != {_ARRAY}:
        return mapping
    description, shape, data = mapping[_ARRAY]
    return np.frombuffer(base64.b64decode(data), dtype=_dtype(description)).reshape(shape).copy()


def _dtype(description: Any) -> np.dtype[Any]:
    """A dtype from JSON, where the pairs of a record type have become lists."""
    if isinstance(description, list):
        fields = [(field[0], _inner(field[1]), *(tuple(shape) for shape in field[2:])) for field in description]
        return np.lib.format.descr_to_dtype(fields)
    return np.lib.format.descr_to_dtype(description)


def _inner(description: Any) -> Any:
    return [tuple(field) for field in description] if isinstance(description, list) else description

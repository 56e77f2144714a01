"""States of bots, exits and generators as JSON text: plain data and arrays, nothing that could carry code."""

import base64
import json
from typing import Any

import numpy as np

_ARRAY = "$array"


def to_text(value: object) -> str:
    """Plain data (None, bool, numbers, texts, lists, tuples, mappings with text keys, arrays) as JSON.

    Raises:
        TypeError: for anything else, naming its type.
    """
    return json.dumps(value, default=_encoded, separators=(",", ":"), allow_nan=True)


def from_text(text: str) -> Any:
    """What ``to_text`` wrote; tuples come back as lists."""
    return json.loads(text, object_hook=_decoded)


def _encoded(value: object) -> Any:
    if isinstance(value, np.ndarray):
        if value.dtype.hasobject:
            raise TypeError("an array of Python objects is no plain data")
        data = base64.b64encode(np.ascontiguousarray(value).tobytes()).decode("ascii")
        return {_ARRAY: [value.dtype.str, list(value.shape), data]}
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"a {type(value).__name__} is no plain data: use numbers, texts, lists, mappings and arrays")


def _decoded(mapping: dict[str, Any]) -> Any:
    if set(mapping) != {_ARRAY}:
        return mapping
    kind, shape, data = mapping[_ARRAY]
    return np.frombuffer(base64.b64decode(data), dtype=np.dtype(kind)).reshape(shape).copy()

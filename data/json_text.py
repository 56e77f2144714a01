"""How JSON is read: whatever is wrong with a text is one kind of error."""

import json
from typing import Any


def parsed(text: str | bytes) -> Any:
    """The value of a JSON text; ValueError where it is none, is not UTF-8, or is nested deeper than Python's stack."""
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("it is nested too deeply to be read") from None

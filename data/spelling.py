"""Which known name a mistyped one stands for, and how a message says so."""

from collections.abc import Iterable
from difflib import get_close_matches


def alike(word: object, known: Iterable[str], most: int = 1, likeness: float | None = None) -> list[str]:
    """At most ``most`` of the known names that look like ``word``, the nearest first, whatever the case.

    ``likeness``: share of letters in common from which a name counts, 0 to 1; 0.6, less for the shortest words.
    """
    folded = {name.casefold(): name for name in known}
    if likeness is None:
        likeness = 0.6 if len(str(word)) > 3 else 0.5  # one letter of a two-letter symbol is half of it
    return [folded[found] for found in get_close_matches(str(word).casefold(), list(folded), most, likeness)]


def nearest(word: object, known: Iterable[str], most: int = 1, likeness: float | None = None) -> str:
    """``"; the nearest is x"``, or ``"; the nearest are x, y"``; empty where nothing is near."""
    names = alike(word, known, most, likeness)
    return f"; the nearest {'are' if len(names) > 1 else 'is'} {', '.join(names)}" if names else ""


def nearest_or_all(word: object, known: Iterable[str], most: int = 1) -> str:
    """The same, or ``"; known are x, y, z"`` where nothing is near; empty where nothing is known."""
    names = sorted(known)
    return nearest(word, names, most) or (f"; known are {', '.join(names)}" if names else "")

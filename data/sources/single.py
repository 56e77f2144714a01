"""Decides what a number of single precision means: the shortest decimal that it stands for.

A price of 100.1 stored as float32 is 100.0999985, which lies on no tick; its shortest decimal is 100.1 again.
"""

import numpy as np
from numpy.typing import NDArray

from data.series import FloatArray

# Six digits survive single precision whatever the number, nine tell any two of its numbers apart.
_DIGITS = (6, 7, 8, 9)


def meant_by(stored: NDArray[np.float32]) -> FloatArray:
    """Return float64 numbers: the decimals of fewest digits, six at least, that are ``stored`` in single precision.

    Equal numbers stay equal and their order stays. NaN and infinity stay what they are.
    """
    meant = stored.astype(np.float64)
    open_ = np.flatnonzero(np.isfinite(stored) & (stored != 0))
    for digits in _DIGITS:
        rounded = _rounded(meant[open_], digits)
        with np.errstate(over="ignore", under="ignore"):  # at either end of what single precision holds
            kept = rounded.astype(np.float32) == stored[open_]
        meant[open_[kept]] = rounded[kept]
        open_ = open_[~kept]
        if not len(open_):
            break
    return meant


def _rounded(values: FloatArray, digits: int) -> FloatArray:
    """Return numbers other than 0 rounded to so many digits; each is the float64 nearest to its decimal."""
    places = digits - 1 - np.floor(np.log10(np.abs(values)))
    # Powers of ten up to 22 are exact, and so are the digits: one division rounds once.
    scale = 10.0 ** np.abs(places)
    rounded: FloatArray = np.where(places >= 0, np.rint(values * scale) / scale, np.rint(values / scale) * scale)
    return rounded

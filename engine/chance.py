"""Everything random comes from here: one generator per seed and name, the same everywhere (rulebook S14)."""

import hashlib

import numpy as np


def seeded_generator(seed: int, name: str) -> np.random.Generator:
    """A generator of its own for (seed, name), the same on every machine and in every process (S14)."""
    digest = hashlib.sha256(f"{seed}/{name}".encode()).digest()
    return np.random.Generator(np.random.Philox(key=int.from_bytes(digest[:16], "little")))

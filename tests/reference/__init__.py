"""The independent simulator: the rulebook in plain Python, which the compiled kernel is compared with."""

from tests.reference.simulator import simulate

__all__ = ["simulate"]

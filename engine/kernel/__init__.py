"""The rules of the simulation, compiled, over plain arrays."""

"""Benchmarks: what the engine costs, as ratios to a C loop and to another engine, measured in one run."""

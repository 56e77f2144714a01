"""Proofs of the engine as a whole: determinism, no look-ahead, fairness, and agreement with another engine."""

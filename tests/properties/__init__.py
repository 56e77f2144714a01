"""Random cases and the laws that any simulation of them obeys."""

"""Malformed inputs of every kind, by the thousand."""

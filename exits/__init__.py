"""Exits: who sets and moves the stop."""

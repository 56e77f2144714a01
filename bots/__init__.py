"""Bots: who decides to enter."""

"""Bars in: instruments, sessions, sources, validation, master timeline, synthetic markets."""

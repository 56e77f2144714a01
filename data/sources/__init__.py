"""Readers: files as rows, before any rule for bars is applied."""

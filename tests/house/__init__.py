"""Tests about the tree itself: sizes, words, documents, requirements, start.py."""

"""The kernel from inside: every branch, every index, every byte, and what only its tables show."""

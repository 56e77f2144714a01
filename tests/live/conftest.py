"""Fixtures of the live tests: where tokens are kept."""

from pathlib import Path

import pytest

from data.tradestation.tokenstore import FileTokenStore


@pytest.fixture
def store(tmp_path: Path) -> FileTokenStore:
    """A file of tokens in a folder of its own."""
    return FileTokenStore(tmp_path / "private" / "tokens.json")

"""Where tokens are kept: the system's keyring, else a file that only its owner may read. Never shown, never logged."""

import json
import logging
import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Protocol

from data.json_text import parsed
from data.whole_files import PRIVATE, replace_file

SERVICE = "triphase-tradestation"
_FORMATTER = logging.Formatter()
_SECRET = re.compile(
    r"(?i)(bearer\s+|(?:access_token|refresh_token|id_token|client_secret|code_verifier|code)[\"']?\s*[=:]\s*[\"']?)"
    r"[A-Za-z0-9._~+/=-]{6,}"
)


@dataclass(frozen=True, slots=True)
class StoredTokens:
    """Tokens of a login; ``expires_ns`` by our clock, ``life_s`` the access token's whole life."""

    access_token: str
    refresh_token: str | None
    expires_ns: int
    life_s: float

    def __repr__(self) -> str:
        return f"StoredTokens(expires_ns={self.expires_ns}, refreshable={self.refresh_token is not None})"


class TokenStore(Protocol):
    """A place for the tokens of one login."""

    def load(self) -> StoredTokens | None:
        """What is kept; None where nothing is."""
        ...

    def save(self, tokens: StoredTokens) -> None:
        """Keep ``tokens``, whole, before it returns; OSError where that cannot be done."""
        ...

    def clear(self) -> None:
        """Keep nothing; OSError where they cannot be removed."""
        ...


class FileTokenStore:
    """A file with mode 0600, replaced whole (Windows has no such modes: there the user's profile guards it)."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def load(self) -> StoredTokens | None:
        """The tokens in the file; None where it is missing or damaged."""
        try:
            return _from_text(self._path.read_text("utf-8"))
        except OSError:
            return None

    def save(self, tokens: StoredTokens) -> None:
        """Write beside, flush to disk, then rename."""
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        replace_file(self._path, json.dumps(asdict(tokens)).encode(), durable=True, mode=PRIVATE)

    def clear(self) -> None:
        """Remove the file."""
        self._path.unlink(missing_ok=True)


class KeyringTokenStore:
    """The system's keyring; ``account`` tells logins apart."""

    def __init__(self, account: str) -> None:
        self._account = account

    def load(self) -> StoredTokens | None:
        """The tokens in the keyring; None where there are none, or it does not give them out."""
        import keyring
        import keyring.errors

        try:
            text = keyring.get_password(SERVICE, self._account)
        except keyring.errors.KeyringError:
            return None
        return None if text is None else _from_text(text)

    def save(self, tokens: StoredTokens) -> None:
        """Replace the entry."""
        import keyring
        import keyring.errors

        try:
            keyring.set_password(SERVICE, self._account, json.dumps(asdict(tokens)))
        except keyring.errors.KeyringError as error:
            raise OSError(f"the keyring refuses ({type(error).__name__})") from error

    def clear(self) -> None:
        """Delete the entry, if there is one."""
        import keyring
        import keyring.errors

        try:
            if keyring.get_password(SERVICE, self._account) is not None:
                keyring.delete_password(SERVICE, self._account)
        except keyring.errors.KeyringError as error:
            raise OSError(f"the keyring refuses ({type(error).__name__})") from error


def default_store(account: str, folder: Path | None = None) -> TokenStore:
    """The keyring where there is one that works, else a file in the user's data folder."""
    import keyring
    import keyring.errors

    store = KeyringTokenStore(account)
    try:
        keyring.get_password(SERVICE, account)
    except (keyring.errors.KeyringError, RuntimeError):
        return FileTokenStore((folder or _user_folder()) / f"tradestation-{account}.json")
    return store


def _user_folder() -> Path:
    import platformdirs

    return Path(platformdirs.user_data_dir("triphase", appauthor=False))


def _from_text(text: str) -> StoredTokens | None:
    try:
        return StoredTokens(**parsed(text))
    except (TypeError, ValueError):
        return None


class Redacting(logging.Filter):
    """Takes tokens, codes and secrets out of log records, whoever wrote them."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Rewrite the message where it holds a secret; never drops a record."""
        text = record.getMessage()
        clean = redact(text)
        if clean != text:
            record.msg, record.args = clean, None
        if record.exc_info and not record.exc_text:  # a traceback ends with the error's text: handlers write this one
            record.exc_text = redact(_FORMATTER.formatException(record.exc_info))
        return True


def redact(text: str) -> str:
    """``text`` with what looks like a secret replaced by dots."""
    return _SECRET.sub(r"\1...", text)

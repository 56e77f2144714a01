"""What the texts, dates and plain values of a configuration may look like."""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_core import PydanticCustomError

from data.errors import SourceError
from data.zones import zone_named
from engine.wording import shown

_BAR_LENGTH = re.compile(r"[1-9][0-9]*(s|m|h|d)")
_CURRENCY = re.compile(r"[A-Z]{3,5}")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def refused(text: str, at: tuple[str | int, ...] = ()) -> PydanticCustomError:
    """A refusal to raise inside a validator; ``at`` extends the key path to the part that is wrong."""
    return PydanticCustomError("refused", "{text}", {"text": text, "at": at})


def _bar_length(text: str) -> str:
    if _BAR_LENGTH.fullmatch(text) is None:
        raise refused(f"{shown(text)} is not a bar length; write a number and s, m, h or d, such as 1m, 5m, 1h, 1d")
    return text


def _currency(text: str) -> str:
    if _CURRENCY.fullmatch(text) is None:
        raise refused(f"{shown(text)} is not a currency code of three to five capitals, such as USD")
    return text


def _zone(text: str) -> str:
    try:
        zone_named(text)
    except SourceError as unknown:
        raise refused(str(unknown)) from None
    return text


def _symbol(text: str) -> str:
    if not text or text != text.strip() or any(character in text for character in "\n\t/\\"):
        raise refused(f"{shown(text)} is not a symbol; it is empty, or holds a slash, tab or blank at an end")
    return text


def _moment(value: object) -> object:
    """Texts become dates or datetimes; everything else is left to the next check."""
    if isinstance(value, str):
        value = _parsed_moment(value)
    if value is not None and not isinstance(value, date):
        raise refused(f"{shown(value)} is not a date or time; write 2024-03-08 or 2024-03-08T14:30:00-05:00")
    return value


def _parsed_moment(text: str) -> object:
    for parse in (date.fromisoformat, datetime.fromisoformat):
        try:
            return parse(text)
        except ValueError:
            continue
    return text


def nanoseconds(moment: date | datetime, *, end_of_day: bool) -> int:
    """A moment as nanoseconds UTC; a bare date is its first instant, or with ``end_of_day`` the next day's first."""
    if not isinstance(moment, datetime):
        moment = datetime.combine(moment, time(), UTC) + timedelta(days=int(end_of_day))
    aware = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    since = aware - _EPOCH
    return ((since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds) * 1_000


def plain(value: object) -> Any:
    """``value`` as plain data (texts, numbers, bools, dates, lists, mappings with text keys); the rest is refused."""
    if value is None or isinstance(value, bool | int | float | str | date):
        return value
    if isinstance(value, Mapping):
        return {_text_key(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    raise refused(f"{shown(value)} is not plain data (text, number, true or false, date, list or mapping)")


def _text_key(key: object) -> str:
    if not isinstance(key, str):
        raise refused(f"the key {shown(key)} is not text; put it in quotes")
    return key


def _column_names(given: object) -> object:
    """A list of names as the text that it could also have been written as."""
    if isinstance(given, list) and all(isinstance(name, str) for name in given):
        return ", ".join(given)
    return given


BarLength = Annotated[str, AfterValidator(_bar_length)]
ColumnNames = Annotated[str, BeforeValidator(_column_names)]
Currency = Annotated[str, AfterValidator(_currency)]
Zone = Annotated[str, AfterValidator(_zone)]
Symbol = Annotated[str, AfterValidator(_symbol)]
Moment = Annotated[date | datetime, BeforeValidator(_moment)]
File = Annotated[Path, Field(strict=False)]
PlainMapping = Annotated[dict[str, Any], BeforeValidator(plain)]

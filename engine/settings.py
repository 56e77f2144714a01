"""What can be set on a bot, exit or slippage model: typed values with unit, bounds and help (DESIGN section 3)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum
from pathlib import Path
from types import NoneType
from typing import Any, Literal, TypeVar, cast, get_args, get_origin

import annotated_types as bounds
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.fields import FieldInfo

from engine.errors import ConfigError, KeyPath, Problem
from engine.wording import problems_of


class Settings(BaseModel):
    """Base of all typed settings: frozen, unknown names refused, no number out of a text or a bool.

    Example:
        >>> class MySettings(Settings):
        ...     span: int = setting(50, unit="bars", ge=2, help="Span of the moving average.")
        >>> MySettings(span=34).span
        34

    Raises:
        ConfigError: on creation, listing every value that is refused.
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, allow_inf_nan=False, validate_default=True, hide_input_in_errors=True
    )

    def __init__(self, **values: Any) -> None:
        try:
            super().__init__(**values)
        except ValidationError as error:
            raise ConfigError.of(problems_of(error, type(self))) from None


def setting(
    default: object,
    *,
    unit: str,
    help: str,
    gt: float | None = None,
    ge: float | None = None,
    lt: float | None = None,
    le: float | None = None,
) -> Any:
    """One setting: its default, unit (``"bars"``, ``"money"``, ``"fraction"``, ``""`` for none), bounds and help.

    Texts become enum members and lists become tuples; nothing else is converted. For a list of names use
    ``Literal["a", "b"]`` as the annotation; a setting that may be empty is annotated ``float | None``.
    """
    strict = None if not isinstance(default, Enum | tuple | Path) else False
    return Field(default, gt=gt, ge=ge, lt=lt, le=le, strict=strict, description=help, json_schema_extra={"unit": unit})


@dataclass(frozen=True, slots=True)
class SettingInfo:
    """What a form, a page of documentation or ``--help`` needs to know of one setting.

    Attributes:
        type: ``int``, ``float``, ``bool``, ``text``, ``file``, ``moment``, ``choice``, ``list`` or ``mapping``.
        unit: what the number counts; empty for none.
        lower, upper: bounds, None where open; ``lower_open`` and ``upper_open`` say that the bound itself is refused.
        choices: the allowed words where ``type`` is ``choice``.
        optional: whether it may be empty (null).
    """

    name: str
    type: str
    unit: str
    default: object
    lower: float | None
    upper: float | None
    choices: tuple[str, ...]
    help: str
    lower_open: bool = False
    upper_open: bool = False
    optional: bool = False
    required: bool = False

    def allowed(self) -> str:
        """What is allowed, in a few characters: ``>= 2``, ``touch, through``; empty where anything of the type is."""
        limits = []
        if self.lower is not None:
            limits.append(f"{'>' if self.lower_open else '>='} {self.lower:g}")
        if self.upper is not None:
            limits.append(f"{'<' if self.upper_open else '<='} {self.upper:g}")
        return ", ".join(self.choices or limits)


def describe(model: type[BaseModel]) -> list[SettingInfo]:
    """The settings of a settings class (or of a section of the configuration), in the order they are written."""
    return [_info(name, field) for name, field in model.model_fields.items()]


SettingsT = TypeVar("SettingsT", bound=Settings)


def check_settings(
    model: type[SettingsT],
    values: Mapping[str, object],
    at: KeyPath = (),
    where: Callable[[KeyPath], str] | None = None,
) -> SettingsT:
    """``values`` as typed settings.

    Args:
        at: key path of ``values``, such as ``("bot", "settings")``; it begins every key path in an error.
        where: gives the place (file and line) of a key path.

    Raises:
        ConfigError: listing every unknown name and refused value, each with its place.
    """
    try:
        return model(**values)
    except ConfigError as error:
        placed = [Problem(at + p.path, p.text, where(at + p.path) if where else "") for p in error.problems]
        raise ConfigError.of(placed) from None


def _info(name: str, field: FieldInfo) -> SettingInfo:
    inner, optional = _without_none(field.annotation)
    extra = cast("dict[str, Any]", field.json_schema_extra or {})
    lower, lower_open = _bound(field, bounds.Gt, bounds.Ge)
    upper, upper_open = _bound(field, bounds.Lt, bounds.Le)
    kind, choices = _kind(inner)
    return SettingInfo(
        name=name,
        type=kind,
        unit=str(extra.get("unit", "")),
        default=None if field.is_required() else field.get_default(call_default_factory=True),
        lower=lower,
        upper=upper,
        choices=choices,
        help=field.description or "",
        lower_open=lower_open,
        upper_open=upper_open,
        optional=optional,
        required=field.is_required(),
    )


def _bound(field: FieldInfo, open_kind: type[Any], closed_kind: type[Any]) -> tuple[float | None, bool]:
    name = {bounds.Gt: "gt", bounds.Lt: "lt"}[open_kind]
    closed = {bounds.Ge: "ge", bounds.Le: "le"}[closed_kind]
    for item in field.metadata:
        if isinstance(item, open_kind):
            return float(getattr(item, name)), True
        if isinstance(item, closed_kind):
            return float(getattr(item, closed)), False
    return None, False


def _without_none(annotation: Any) -> tuple[Any, bool]:
    """The annotation without ``| None``, and whether it had it."""
    parts = get_args(annotation)
    if NoneType not in parts:
        return annotation, False
    rest = [part for part in parts if part is not NoneType]
    return (rest[0] if len(rest) == 1 else tuple(rest)), True


def _kind(annotation: Any) -> tuple[str, tuple[str, ...]]:
    if get_origin(annotation) is Literal:
        return "choice", tuple(str(choice) for choice in get_args(annotation))
    while hasattr(annotation, "__metadata__"):
        annotation = annotation.__origin__
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return "choice", tuple(str(member.value) for member in annotation)
    if set(get_args(annotation)) == {date, datetime}:
        return "moment", ()
    origin = get_origin(annotation) or annotation
    plain = {bool: "bool", int: "int", float: "float", str: "text", Path: "file", tuple: "list", list: "list"}
    return plain.get(origin, "mapping"), ()

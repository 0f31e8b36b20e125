"""Answers of the API as frozen dataclasses. What a newer daemon says beyond them stays in `raw` and disturbs nobody."""

from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any, Callable, ClassVar, Mapping, Optional, TypeVar

from ferry.errors import DaemonError

DocumentType = TypeVar("DocumentType", bound="Document")
Reader = Callable[[Any], Any]


@dataclass(frozen=True)
class Document:
    """Every field has a default, which stands for what the daemon left out or called null. raw: all that it said."""

    raw: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)

    # How a field is made of its JSON value, where it is not that value itself.
    _readers: ClassVar[Mapping[str, Reader]] = {}
    # What must be there.
    _needed: ClassVar[tuple[str, ...]] = ()

    @classmethod
    def of(cls: "type[DocumentType]", raw: Any) -> DocumentType:
        if not isinstance(raw, Mapping):
            raise DaemonError(f"the daemon's answer holds no object where {cls.__name__} was asked for")
        missing = [name for name in cls._needed if raw.get(name) is None]
        if missing:
            raise DaemonError(f"the daemon's answer holds a {cls.__name__} without {', '.join(missing)}")
        return cls(**cls._members(raw))

    @classmethod
    def _members(cls, raw: Mapping[str, Any]) -> dict[str, Any]:
        members: dict[str, Any] = {"raw": raw}
        for each in fields(cls):
            value = raw.get(each.name)
            if value is not None and each.name != "raw":
                members[each.name] = cls._readers[each.name](value) if each.name in cls._readers else value
        return members


def moment(text: Any) -> Optional[datetime]:
    """2026-01-31T12:00:00.000Z, with its time zone."""
    if not isinstance(text, str):
        return None
    return datetime.fromisoformat(text[:-1] + "+00:00" if text.endswith("Z") else text)


def moments(*names: str) -> dict[str, Reader]:
    return dict.fromkeys(names, moment)


def list_of(kind: "type[DocumentType]") -> "Callable[[Any], tuple[DocumentType, ...]]":
    return lambda values: tuple(kind.of(each) for each in values)


def table_of(kind: "type[DocumentType]") -> "Callable[[Any], dict[str, DocumentType]]":
    return lambda values: {str(name): kind.of(each) for name, each in values.items()}

"""Reading back, as dataclasses, what was sent or written as JSON.

A file may be damaged, and a message may come from anybody: whatever is not of the
declared type is refused here, before it can do harm elsewhere.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import is_dataclass
from functools import cache
from types import UnionType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

T = TypeVar("T")

_hints: Callable[[Any], dict[str, Any]] = cache(get_type_hints)


def parse_record(kind: type[T], text: bytes) -> T:
    """Read a JSON object as a dataclass; its ``schema_version`` is not part of it.

    Raises
    ------
    ValueError
        It is not JSON, or not such a record.
    """
    try:
        value = json.loads(text)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    if isinstance(value, dict):
        value.pop("schema_version", None)
    return record_from(kind, value)


def record_from(kind: type[T], value: object) -> T:
    """Make a dataclass of a parsed JSON object.

    Raises
    ------
    ValueError
        A field is missing, unknown, or not of its type.
    """
    hints = _hints(kind)
    if not isinstance(value, dict) or not value.keys() <= hints.keys():
        raise ValueError(f"no {kind.__name__}")
    checked = {name: _checked(hints[name], each) for name, each in value.items()}
    try:
        return kind(**checked)
    except TypeError:
        raise ValueError(f"no {kind.__name__}: something is missing") from None


def _checked(hint: Any, value: object) -> object:
    """Return ``value`` as ``hint`` has it: JSON knows no tuples, and 1.0 may be 1."""
    if get_origin(hint) is UnionType:
        return None if value is None else _checked(get_args(hint)[0], value)
    if get_origin(hint) is tuple and isinstance(value, list | tuple):
        return tuple(_checked(get_args(hint)[0], each) for each in value)
    if isinstance(hint, type) and is_dataclass(hint):
        return record_from(hint, value)
    if hint is float and type(value) is int and abs(value) < 2**53:
        return float(value)
    if type(value) is not hint or (type(value) is float and not math.isfinite(value)):
        raise ValueError(f"{str(value)[:50]!r} is no {getattr(hint, '__name__', hint)}")
    return value

"""Records whose fields are arrays, with one element (last axis) for each source."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from trap_hpc.pipeline.finder.field import Booleans
from trap_hpc.pipeline.records import Integers

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    Columns = TypeVar("Columns", bound=DataclassInstance)


def only(columns: Columns, wanted: Booleans | Integers | slice) -> Columns:
    """Return the sources that ``wanted`` chooses along the last axis."""
    parts = {f.name: getattr(columns, f.name)[..., wanted] for f in fields(columns)}
    return type(columns)(**parts)


def put(columns: Columns, where: Booleans, new: Columns) -> Columns:
    """Return ``columns`` with ``new`` in place of those where ``where`` is True."""
    parts = {f.name: getattr(columns, f.name).copy() for f in fields(columns)}
    for name, values in parts.items():
        values[where] = getattr(new, name)
    return type(columns)(**parts)


def either(condition: Booleans, one: Columns, other: Columns) -> Columns:
    """Return each source from ``one`` if ``condition`` is True, else from ``other``."""
    parts = {
        f.name: np.where(condition, getattr(one, f.name), getattr(other, f.name))
        for f in fields(one)
    }
    return type(one)(**parts)


def joined(parts: Sequence[Columns]) -> Columns:
    """Join the sources of all ``parts``, of which there is at least one."""
    columns = {
        f.name: np.concatenate([getattr(part, f.name) for part in parts], axis=-1)
        for f in fields(parts[0])
    }
    return type(parts[0])(**columns)

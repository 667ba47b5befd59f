"""Arrays that grow at their end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Generic, TypeVar

import numpy as np
import numpy.typing as npt

from trap_hpc.pipeline.records import Rows

Scalar = TypeVar("Scalar", bound=np.generic)


class Growing(Generic[Scalar]):
    """An array that grows along its last axis, by doubling what it holds in store.

    Parameters
    ----------
    dtype
        Type of the elements.
    lead
        Shape in front of the axis that grows.
    """

    __slots__ = ("_size", "_store")

    def __init__(self, dtype: type[Scalar], lead: tuple[int, ...] = ()) -> None:
        self._store: npt.NDArray[Scalar] = np.zeros((*lead, 64), dtype)
        self._size = 0

    def __len__(self) -> int:
        return self._size

    @property
    def values(self) -> npt.NDArray[Scalar]:
        """A view of all elements; it is of use until the next append."""
        return self._store[..., : self._size]

    def append(self, values: npt.NDArray[Any]) -> None:
        """Add elements at the end."""
        old = self._size
        self.grow(old + values.shape[-1])
        self._store[..., old : self._size] = values

    def grow(self, size: int) -> None:
        """Make it at least ``size`` long; new elements are 0."""
        capacity = self._store.shape[-1]
        if size > capacity:
            extra = max(size, 2 * capacity) - capacity
            tail = np.zeros((*self._store.shape[:-1], extra), self._store.dtype)
            self._store = np.concatenate([self._store, tail], axis=-1)
        self._size = max(self._size, size)


def end_to_end(parts: Sequence[Rows], dtype: np.dtype[np.void]) -> Rows:
    """Return all parts, of that type, as one array; a single one as it stands.

    Structured rows are copied as bytes: field by field takes ten times as long.
    """
    filled = [part for part in parts if len(part)]
    if len(filled) == 1:
        return filled[0]
    as_bytes = np.dtype((np.void, dtype.itemsize))
    none = np.empty(0, as_bytes)
    joined: Rows = np.concatenate([none, *(part.view(as_bytes) for part in filled)])
    return joined.view(dtype)

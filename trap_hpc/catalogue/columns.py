"""Short words for declaring columns as TraP's model does."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

METADATA = sa.MetaData()
"""All tables of a catalogue."""

Column = sa.Column[Any]


def key(sequence: str | None = None) -> Column:
    """Return the primary key; TraP gives four tables a sequence of their own name."""
    generator = [sa.Sequence(sequence, metadata=METADATA)] if sequence else []
    return sa.Column("id", sa.Integer, *generator, primary_key=True)


def to(target: str, name: str | None = None, *, null: bool = False) -> Column:
    """Return a reference to another table's id, by default named like the table."""
    # extractedsource > runningcatalog > extractedsource is a cycle: cut it there.
    cut = name in ("ff_runcat", "ff_monitor")
    foreign = sa.ForeignKey(
        f"{target}.id", use_alter=cut, name=f"{name}_fkey" if cut else None
    )
    return sa.Column(name or target, sa.Integer, foreign, nullable=null)


def many(kind: Any, names: str, *, null: bool = False) -> list[Column]:
    """Return columns of one type."""
    return [sa.Column(name, kind, nullable=null) for name in names.split()]


def floats(names: str, *, null: bool = False) -> list[Column]:
    """Return columns in double precision; NaN is NULL."""
    return many(sa.Double(), names, null=null)


def small(name: str, default: int = 1) -> Column:
    """Return a small number that is mostly the same."""
    return sa.Column(
        name, sa.SmallInteger, nullable=False, server_default=sa.text(str(default))
    )


def flag(name: str) -> Column:
    """Return a yes or no, mostly no."""
    return sa.Column(name, sa.Boolean, nullable=False, server_default=sa.false())


def nodes() -> list[Column]:
    """Return the two columns that TraP keeps for a divided database."""
    return [small("node"), small("nodes")]


def table(name: str, *columns: Column | list[Column]) -> sa.Table:
    """Declare a table."""
    flat: list[Column] = []
    for column in columns:
        flat += column if isinstance(column, list) else [column]
    return sa.Table(name, METADATA, *flat)

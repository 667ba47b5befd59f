"""Values in the types that they must have."""

from __future__ import annotations

_WORDS = {bool: "true or false", int: "a whole number", float: "a number", str: "text"}


def typed(value: object, wanted: type) -> object:
    """Return ``value`` as a ``wanted``: bool, int, float or str.

    Raises
    ------
    ValueError
        It is something else: "it must be ...".
    """
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if wanted is float and number and abs(value) < 1e300:  # type: ignore[arg-type]
        return float(value)  # type: ignore[arg-type]
    if wanted is int and isinstance(value, float) and value.is_integer():
        return int(value)
    if type(value) is wanted:
        return value
    if wanted is str and number:  # an unquoted 6666 where text is wanted
        return str(value)
    raise ValueError(f"it must be {_WORDS[wanted]}")

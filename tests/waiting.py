"""Waiting for something to become true, but not for ever."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

LOOK_S = 0.01


def wait_until(true: Callable[[], object], what: str, within_s: float = 60.0) -> None:
    """Return as soon as ``true()``; fail the test if ``what`` does not come about."""
    deadline_s = time.monotonic() + within_s
    while not true():
        if time.monotonic() > deadline_s:
            pytest.fail(f"not within {within_s:g} s: {what}")
        time.sleep(LOOK_S)

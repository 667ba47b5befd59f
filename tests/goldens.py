"""Texts that are compared as a whole with what lies in the repository."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.source import ROOT

Golden = Callable[[Path | str, str], None]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-golden",
        action="store_true",
        help="write the texts that tests compare with, in place of comparing",
    )


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Golden:
    """Compare a text with a file: its name in ``tests/golden``, or a path below here.

    A file that is not there is an error, and never written but by ``--update-golden``.
    """

    def compare(name: Path | str, text: str) -> None:
        path = ROOT / "tests" / "golden" / name
        if request.config.getoption("update_golden"):
            path.write_text(text)
        known = path.read_text() if path.exists() else "there is no such file\n"
        again = f"pytest --update-golden {Path(request.node.fspath).name}"
        assert text == known, f"{path} differs; if the new one is right: {again}"

    return compare

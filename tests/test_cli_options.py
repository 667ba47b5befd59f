"""Reading what stands on the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from trap_hpc.cli.options import database_url, monitor_positions
from trap_hpc.errors import UsageError


def test_positions_come_from_the_line_and_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "positions.json"
    path.write_text("[[360, -90]]")
    found = monitor_positions("[[123.4, 52], [0, 1e1]]", path)
    assert found == ((123.4, 52.0), (0.0, 10.0), (0.0, -90.0))
    assert monitor_positions(None, None) == ()


@pytest.mark.parametrize(
    "text",
    [
        *("", "123", "[123.4, 52.9]", '[["1", 2]]', "[[1, 2, 3]]", "[[true, 2]]"),
        *("[[400, 0]]", "[[0, 91]]", "[[NaN, 0]]", "[" * 100_000, "{}", "[[1,2]"),
    ],
)
def test_what_is_no_list_of_positions_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match=r"\[\[ra,dec\],...\] in degrees"):
        monitor_positions(text, None)


def test_an_unreadable_list_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No such file"):
        monitor_positions(None, tmp_path / "missing.json")
    (tmp_path / "image.fits").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError, match="not a text file"):
        monitor_positions(None, tmp_path / "image.fits")


@pytest.mark.parametrize(
    "url", [None, "postgresql://me@host/transients", "postgresql:///transients"]
)
def test_a_database_without_a_password_is_taken(url: str | None) -> None:
    assert database_url(url) == url


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://me:secret@host/transients",
        "postgresql://me:se@cret@host/transients",
        "postgresql://host/transients?user=me&password=secret",
        "postgresql://me:@host/transients?PASSWORD=secret",
    ],
)
def test_a_password_on_the_line_is_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(UsageError, match="pgpass") as caught:
        database_url(url)
    assert "secret" not in str(caught.value)
    assert "cret" not in str(caught.value)


def test_another_kind_of_database_is_refused() -> None:
    with pytest.raises(UsageError, match="postgresql://user@host/database"):
        database_url("mysql://host/transients")

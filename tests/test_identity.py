"""The same code has the same identity wherever it lies; other code has another."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from tests.installations import checkout, installed, said_by, snapshot
from trap_hpc.errors import RunError
from trap_hpc.identity import (
    Part,
    differences,
    identity,
    read_code_record,
    refusal,
    surroundings,
    write_code_record,
)

IDENTITY = "from trap_hpc.identity import identity; print(identity())"
NUMPY = Part("numpy", "2.4.5", "abc")


@pytest.fixture(scope="module")
def code(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return checkout(tmp_path_factory.mktemp("checkout"))


def test_checkout_wheel_and_snapshot_have_one_identity(
    code: Path, tmp_path: Path
) -> None:
    wheel = installed(code, tmp_path / "wheel")
    snapshot(code, tmp_path / "code.zip")
    found = {said_by(path, IDENTITY) for path in (code, wheel, tmp_path / "code.zip")}
    assert len(found) == 1
    assert re.fullmatch("[0-9a-f]{16}", found.pop())


@pytest.mark.parametrize("name", ["pipeline/measure.py", "cli/main.py", "new.py"])
def test_one_byte_of_code_makes_another_identity(
    code: Path, tmp_path: Path, name: str
) -> None:
    path = installed(code, tmp_path) / "trap_hpc" / name
    path.write_bytes((path.read_bytes() if path.exists() else b"") + b"\n")
    assert said_by(tmp_path, IDENTITY) != said_by(code, IDENTITY)


def test_what_is_no_code_makes_no_other_identity(code: Path, tmp_path: Path) -> None:
    package = installed(code, tmp_path) / "trap_hpc"
    (package / "notes.txt").write_text("to do")
    (package / "data" / "configs" / "local.toml").write_text("")
    assert said_by(tmp_path, IDENTITY) == said_by(code, IDENTITY)


def test_the_surroundings_name_what_results_depend_on() -> None:
    names = [part.name for part in surroundings()]
    assert names[:6] == ["python", "astropy", "h5py", "numpy", "pyerfa", "scipy"]
    assert all(part.version and part.content for part in surroundings())


@pytest.mark.parametrize(
    ("here", "said"),
    [
        ([NUMPY], ()),
        ([replace(NUMPY, version="2.4.6")], ("numpy 2.4.6 instead of 2.4.5",)),
        (
            [replace(NUMPY, content="abd")],
            ("numpy 2.4.5 as well, but differently built",),
        ),
        ([], ("no numpy instead of 2.4.5",)),
        (
            [NUMPY, Part("trap_hpc", "0.1.0", "x")],
            ("trap_hpc 0.1.0 instead of none",),
        ),
    ],
)
def test_differences_are_said_in_words(here: list[Part], said: tuple[str]) -> None:
    assert differences([NUMPY], here) == said


def test_a_refusal_names_both_identities_and_what_differs(tmp_path: Path) -> None:
    path = tmp_path / "identity.json"
    write_code_record(path)
    assert refusal(path, identity()) == ""
    numpy = next(part for part in surroundings() if part.name == "numpy")
    path.write_text(path.read_text().replace(f'"{numpy.version}"', '"1.0"'))
    said = refusal(path, "0123456789abcdef")
    assert f"0123456789abcdef, and this is {identity()}" in said
    assert f"numpy {numpy.version} instead of 1.0" in said


def test_a_refusal_without_a_record_names_both_identities(tmp_path: Path) -> None:
    said = refusal(tmp_path / "identity.json", "0123456789abcdef")
    assert "0123456789abcdef" in said
    assert identity() in said


@pytest.mark.parametrize("text", ["", "{}", '{"identity": 1, "parts": [{}]}'])
def test_a_record_that_cannot_be_read_is_told(tmp_path: Path, text: str) -> None:
    path = tmp_path / "identity.json"
    path.write_text(text)
    with pytest.raises(RunError, match="identity.json can't be read"):
        read_code_record(path)

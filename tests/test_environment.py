"""With which variables Python runs a snapshot of the code."""

from __future__ import annotations

from pathlib import Path

import pytest

from trap_hpc.config.environment import code_environment


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.delenv("PYTHONPATH", raising=False)
    return monkeypatch


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", "/run/code.zip"),
        ("/packages", "/run/code.zip:/packages"),
        ("/a::/b:", "/run/code.zip:/a:/b"),
        ("/a:/run/code.zip:/b", "/run/code.zip:/a:/b"),
    ],
)
def test_the_snapshot_comes_before_all_other_packages(
    environment: pytest.MonkeyPatch, before: str, after: str
) -> None:
    environment.setenv("PYTHONPATH", before)
    made = code_environment(Path("/run/code.zip"))
    assert made["PYTHONPATH"] == after
    assert made["PYTHONSAFEPATH"] == made["PYTHONDONTWRITEBYTECODE"] == "1"


@pytest.mark.parametrize("package", ["numpy", "something_else"])
def test_the_user_s_own_packages_are_used_only_where_they_are_needed(
    environment: pytest.MonkeyPatch, tmp_path: Path, package: str
) -> None:
    (tmp_path / package).mkdir()
    environment.setattr("site.getusersitepackages", lambda: str(tmp_path))
    environment.syspath_prepend(tmp_path)
    made = code_environment(Path("/run/code.zip"))
    assert ("PYTHONNOUSERSITE" in made) == (package != "numpy")

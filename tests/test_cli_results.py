"""Commands that look at catalogues."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from tests.command_line import CommandLine
from trap_hpc.catalogue.export import DEFAULT_NAMES
from trap_hpc.cli.export import FORMATS
from trap_hpc.paths import RunPaths


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]) -> CommandLine:
    return CommandLine(capsys)


def a_candidate(call: CommandLine, run: Path) -> int:
    rows = call("candidates", run, "--json").record["rows"]
    return int(rows[0]["runcat"])


def test_candidates_are_listed_for_people(call: CommandLine, reference: Path) -> None:
    said = call("candidates", reference)
    assert said.code == 0
    assert said.out.splitlines()[0].split()[:3] == ["source", "ra", "[deg]"]
    assert "likely transient" in said.out
    assert f"trap-hpc show {reference} SOURCE" in said.err


def test_limits_add_variable_sources(call: CommandLine, reference: Path) -> None:
    new = call("candidates", reference, "--json").record["rows"]
    more = call("candidates", reference, "--min-v", "0.001", "--json").record["rows"]
    assert len(more) > len(new)
    assert more[: len(new)] == new


def test_json_tells_its_form(call: CommandLine, reference: Path) -> None:
    record = call("candidates", reference, "--json").record
    assert record["schema_version"] == 1
    assert record["units"]["ra"] == "deg"


def test_a_light_curve_is_shown(call: CommandLine, reference: Path) -> None:
    source = a_candidate(call, reference)
    said = call("show", reference, source)
    assert said.code == 0
    points = call("show", reference, source, "--json").record["rows"]
    assert len(said.out.splitlines()) == 1 + len(points)


def test_a_source_that_is_not_there_is_wrong_usage(
    call: CommandLine, reference: Path
) -> None:
    said = call("show", reference, 123456)
    assert said.code == 2
    assert "no source 123456" in said.err


def test_a_run_without_a_catalogue_is_wrong_usage(
    call: CommandLine, tmp_path: Path
) -> None:
    said = call("candidates", tmp_path)
    assert said.code == 2
    assert "no run is called" in said.err


@pytest.mark.parametrize("form", FORMATS)
def test_tables_are_exported(
    call: CommandLine, reference: Path, tmp_path: Path, form: str
) -> None:
    said = call("export", reference, "--format", form, "--out", tmp_path / "out")
    assert said.code == 0
    assert all(Path(line).stat().st_size > 0 for line in said.out.splitlines())


def test_all_formats_are_offered() -> None:
    assert set(FORMATS) == DEFAULT_NAMES.keys()


def test_a_catalogue_is_the_same_as_itself(call: CommandLine, reference: Path) -> None:
    said = call("compare", reference, reference)
    assert said.code == 0
    assert said.out.endswith("They are the same.\n")


def test_another_flux_makes_another_catalogue(
    call: CommandLine, reference: Path, tmp_path: Path
) -> None:
    changed = tmp_path / "catalogue.sqlite"
    changed.write_bytes(RunPaths(reference).catalogue.read_bytes())
    with sqlite3.connect(changed) as db:
        db.execute("UPDATE extractedsource SET f_int = f_int * 2 WHERE id = 7")
    db.close()
    said = call("compare", reference, changed)
    assert said.code == 1
    assert "First in extractedsource.f_int" in said.out
    assert call("compare", reference, changed, "--json").record["same"] is False


def test_extractions_are_associated_again(
    call: CommandLine, reference: Path, tmp_path: Path
) -> None:
    out = tmp_path / "again"
    said = call("associate", reference, "--out", out, "--json")
    assert said.code in (0, 3)
    assert said.record["answers"]["unasked"] == 0
    assert call("candidates", out).out == call("candidates", reference).out
    listed = call("runs", "--json").record["runs"]
    (mine,) = (run for run in listed if run["directory"] == str(out))
    assert mine["status"]["phase"] == "done"


def test_an_association_has_nothing_to_resume(
    call: CommandLine, reference: Path, tmp_path: Path
) -> None:
    call("associate", reference, "--out", tmp_path / "again", "--quiet")
    said = call("resume", tmp_path / "again")
    assert said.code == 2
    assert "associate again" in said.err


def test_other_parameters_make_another_association(
    call: CommandLine, reference: Path, tmp_path: Path
) -> None:
    out = tmp_path / "again"
    words = ("--set", "deruiter_radius=0.0001", "--out", out, "--quiet")
    assert call("associate", reference, *words).code in (0, 3)
    assert call("compare", reference, out, "--quiet").code == 1

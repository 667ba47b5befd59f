from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from tests.catalogues import made_run
from trap_hpc.catalogue.compare import compare
from trap_hpc.errors import UsageError

MOVED_IDS = """
UPDATE image SET id = 100 - id;
UPDATE rejection SET image = 100 - image;
UPDATE trap_hpc_image_extra SET image = 100 - image;
UPDATE newsource SET previous_limits_image = 100 - previous_limits_image;
UPDATE extractedsource SET image = 100 - image, id = 1000 - id,
                           ff_runcat = 50 - ff_runcat, ff_monitor = 5 - ff_monitor;
UPDATE monitor SET id = 5 - id, runcat = 50 - runcat;
UPDATE runningcatalog SET id = 50 - id, xtrsrc = 1000 - xtrsrc;
UPDATE newsource SET runcat = 50 - runcat, trigger_xtrsrc = 1000 - trigger_xtrsrc;
UPDATE assocxtrsource SET id = 2000 - id, runcat = 50 - runcat, xtrsrc = 1000 - xtrsrc;
UPDATE runningcatalog_flux SET id = 70 - id, runcat = 50 - runcat;
UPDATE assocskyrgn SET runcat = 50 - runcat;
UPDATE varmetric SET id = 80 - id, runcat = 50 - runcat;
"""
UNSEEN = """
UPDATE dataset SET description = 'another', process_start_ts = '2001-01-01 00:00:00';
UPDATE image SET url = '/somewhere/else/' || url, node = 2;
DELETE FROM trap_hpc_refusal;
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made_run(tmp_path_factory.mktemp("run"))


@pytest.fixture
def other(tmp_path: Path) -> Path:
    return made_run(tmp_path / "other")


def change(run: Path, script: str) -> None:
    connection = sqlite3.connect(run / "catalogue.sqlite")
    connection.executescript(script)
    connection.close()


def test_a_run_done_twice_is_the_same(run: Path, other: Path) -> None:
    found = compare(run, other)
    assert found.same
    assert found.first is None
    assert {t.table: t.rows_a for t in found.tables}["assocxtrsource"] == 18


@pytest.mark.parametrize("script", [MOVED_IDS, UNSEEN], ids=["ids", "unseen"])
def test_ids_descriptions_and_addresses_do_not_matter(
    run: Path, other: Path, script: str
) -> None:
    change(other, script)
    found = compare(run, other)
    assert found.first is None
    assert found.same


def test_the_last_bit_matters(run: Path, other: Path) -> None:
    change(other, "UPDATE extractedsource SET f_int = f_int * (1 + 3e-16) WHERE id = 7")
    found = compare(run, other)
    [table] = [table for table in found.tables if not table.same]
    assert (table.table, table.differing, table.columns) == (
        *("extractedsource", 1),
        ("f_int",),
    )
    assert str(found.first).startswith("extractedsource.f_int: 1.007")
    assert "row 7 of A" in str(found.first)


def test_a_null_differs_from_a_number_only(run: Path, other: Path) -> None:
    change(other, "UPDATE extractedsource SET chisq = 1 WHERE id = 1")
    assert str(compare(run, other).first) == (
        "extractedsource.chisq: nan in row 1 of A, 1.0 in row 1 of B"
    )


def test_a_point_of_another_source_is_found(run: Path, other: Path) -> None:
    change(other, "UPDATE assocxtrsource SET runcat = 7 WHERE xtrsrc = 13")
    found = compare(run, other)
    [table] = [table for table in found.tables if not table.same]
    assert (table.table, table.only_a, table.only_b) == ("assocxtrsource", 1, 1)
    assert str(found.first) == "assocxtrsource: row 13 of A is missing in B"


def test_a_missing_image_is_found_first(run: Path, other: Path) -> None:
    change(other, "DELETE FROM image WHERE id = 5")
    assert str(compare(run, other).first) == "image: row 5 of A is missing in B"
    assert str(compare(other, run).first) == "image: row 5 of B is missing in A"


def test_another_source_as_first_of_a_forced_fit_is_found(
    run: Path, other: Path
) -> None:
    change(other, "UPDATE extractedsource SET ff_monitor = 2 WHERE id = 13")
    difference = compare(run, other).first
    assert difference is not None
    assert (difference.column, difference.value_a) == ("ff_monitor", "no. 0")


def test_a_folder_without_catalogue_is_said(run: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="has no catalogue.sqlite"):
        compare(run, tmp_path)

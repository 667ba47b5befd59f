"""A run's own extractions, associated again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.catalogues import made_run, steps
from trap_hpc.catalogue.compare import compare
from trap_hpc.catalogue.extraction_tables import ExtractionTables
from trap_hpc.catalogue.run_tables import read_run_tables
from trap_hpc.catalogue.store import Catalogue
from trap_hpc.catalogue.trap_tables import read_trap_tables
from trap_hpc.config.parameters import JobParameters
from trap_hpc.run.reassociate import reassociate

GOLDEN = Path(__file__).parent / "data" / "golden"


def associated(tables: ExtractionTables, folder: Path) -> Path:
    parameters = tables.parameters or JobParameters()
    folder.mkdir()
    with Catalogue.create(
        folder / "catalogue.sqlite", parameters=parameters, run_id=folder.name
    ) as catalogue:
        reassociate(tables, parameters, catalogue)
    return folder


@pytest.mark.parametrize("name", ["synth20", "split", "crowded"])
def test_a_run_associated_again_is_the_same(name: str, tmp_path: Path) -> None:
    first = associated(read_trap_tables(GOLDEN / name), tmp_path / "first")
    again = associated(read_run_tables(first), tmp_path / "again")
    assert compare(first, again).first is None


def test_images_come_back_as_they_were_measured(tmp_path: Path) -> None:
    tables = read_run_tables(made_run(tmp_path))
    given = [row.image for step in steps() for row in step.images]
    assert [table.image.header for table in tables.images] == [i.header for i in given]
    assert [table.image.content for table in tables.images] == [
        image.content for image in given
    ]
    assert tables.images[1].image.rejection == given[1].rejection
    assert np.isnan(tables.images[1].image.rms_min)
    assert tables.parameters == JobParameters()
    assert tables.monitor == ((123.0, 52.0), (124.0, 53.0))


def test_extractions_come_back_with_their_kinds(tmp_path: Path) -> None:
    tables = read_run_tables(made_run(tmp_path))
    assert [table.blind_ids.tolist() for table in tables.images] == [
        *([1, 2], [], [3], [5, 6, 7]),
        [8, 9, 10, 11, 12],
    ]
    answers = tables.images[4].answers
    assert (answers.ids.tolist(), answers.kind.tolist()) == ([13], [2])
    first = next(steps()).extracted
    found = tables.images[0].image.blind
    assert found.dtype == first.dtype
    assert all(
        np.array_equal(found[name], first[name], equal_nan=name != "gaussian")
        for name in first.dtype.names or ()
    )

"""TraP's own extractions, associated again, give TraP's own catalogue."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.trap_catalogue import Memory, differences, tables_of, trap_tables
from trap_hpc.catalogue.extraction_tables import Answers, ExtractionTables
from trap_hpc.catalogue.trap_tables import read_trap_tables
from trap_hpc.pipeline.records import EXTRACTED, REQUEST
from trap_hpc.run.reassociate import (
    ReassociationCounts,
    matching_answers,
    reassociate,
)

GOLDEN = Path(__file__).parent / "data" / "golden"


def catalogue_of(tables: ExtractionTables) -> tuple[Memory, ReassociationCounts]:
    memory = Memory()
    assert tables.parameters is not None
    return memory, reassociate(tables, tables.parameters, memory)


@pytest.mark.parametrize("name", ["synth20", "split", "crowded", "real"])
def test_all_rows_of_trap_are_reproduced(name: str) -> None:
    memory, _ = catalogue_of(read_trap_tables(GOLDEN / name))
    assert differences(tables_of(memory), trap_tables(GOLDEN / name)) == []


def test_answers_and_requests_are_counted() -> None:
    _, counts = catalogue_of(read_trap_tables(GOLDEN / "crowded"))
    assert counts == ReassociationCounts(
        images=28,
        refused=1,
        extractions=728,
        forced_fits=20,
        unanswered=30,
        unasked=0,
    )


def test_ids_of_images_and_extractions_are_kept() -> None:
    tables = read_trap_tables(GOLDEN / "split")
    memory, _ = catalogue_of(tables)
    ids = np.concatenate([step.extracted_id for step in memory.steps])
    images = [image.id for step in memory.steps for image in step.images]
    assert sorted(ids.tolist()) == list(range(1, 909))
    assert images == [image.id for image in tables.images]


def test_a_parameter_that_forbids_forced_fits_leaves_their_answers_unasked() -> None:
    tables = read_trap_tables(GOLDEN / "synth20")
    parameters = tables.parameters
    assert parameters is not None
    extraction = replace(parameters.source_extraction, expiration=0)
    counts = reassociate(
        tables, replace(parameters, source_extraction=extraction), Memory()
    )
    assert (counts.forced_fits, counts.unasked, counts.unanswered) == (0, 9, 0)


def test_an_image_that_the_table_refuses_stays_refused_with_its_reason() -> None:
    memory, _ = catalogue_of(read_trap_tables(GOLDEN / "crowded"))
    images = [image for step in memory.steps for image in step.images]
    (refused,) = [image.rejection for image in images if image.rejection]
    assert refused.reason == 1
    assert refused.comment == "Beam too elliptical. bmaj=6.50 and bmin=2.50 (pixels)"


def answers(positions: list[tuple[float, float]], kinds: list[int]) -> Answers:
    rows = np.zeros(len(positions), EXTRACTED)
    for n, (ra, decl) in enumerate(positions):
        rows["ra"][n], rows["decl"][n] = ra, decl
    return Answers(
        rows=rows, ids=np.arange(1, len(rows) + 1), kind=np.array(kinds, np.int64)
    )


def test_an_answer_is_near_its_request_and_used_once() -> None:
    requests = np.array([(0, 0.0, 50.0), (1, 4e-7, 50.0), (2, 3e-6, 50.0)], REQUEST)
    found = matching_answers(requests, answers([(3e-7, 50.0)], [1]))
    assert found.tolist() == [-1, 0, -1]


def test_the_nearest_pair_of_answer_and_request_goes_first() -> None:
    requests = np.array([(0, 10.0, 0.0), (1, 10.0 + 5e-7, 0.0)], REQUEST)
    given = answers([(10.0 + 4e-7, 0.0), (10.0 + 7e-7, 0.0)], [1, 1])
    assert matching_answers(requests, given).tolist() == [1, 0]


def test_a_monitored_position_and_a_null_detection_don_t_answer_each_other() -> None:
    requests = np.array([(0, 10.0, 0.0), (-1, 10.0, 0.0)], REQUEST)
    given = answers([(10.0, 0.0), (10.0, 0.0)], [2, 1])
    assert matching_answers(requests, given).tolist() == [1, 0]


def test_answers_are_found_across_the_meridian() -> None:
    requests = np.array([(0, 0.0, 50.0)], REQUEST)
    assert matching_answers(requests, answers([(360 - 2e-7, 50.0)], [1])).tolist() == [
        0
    ]

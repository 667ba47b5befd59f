"""The cluster as a fixture: one for all tests, put right after each of them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.ci import lacking
from tests.cluster.slurm import Slurm
from tests.cluster.up import cluster, what_is_missing


@pytest.fixture(scope="session")
def slurm_of_all() -> Iterator[Slurm]:
    """One cluster for all tests; where there can't be one they are skipped."""
    if missing := what_is_missing():
        lacking(missing)
    with cluster() as slurm:
        yield slurm


@pytest.fixture
def slurm(slurm_of_all: Slurm) -> Iterator[Slurm]:
    """A Slurm of three nodes with two CPUs each. A test must leave nothing on it."""
    yield slurm_of_all
    left = slurm_of_all.tidy()
    assert not left, "the test left these behind:\n" + "\n".join(left)

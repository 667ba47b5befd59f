from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from astropy import units

import trap_hpc
from tests.catalogues import (
    CURVES,
    FIRST,
    REFUSALS,
    flux,
    made_run,
    new_catalogue,
    steps,
)
from trap_hpc.catalogue.address import has_password, redacted
from trap_hpc.errors import UsageError


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made_run(tmp_path_factory.mktemp("run"))


def test_candidates_are_the_new_sources(run: Path) -> None:
    with trap_hpc.open_run(run) as opened:
        table = opened.candidates()
    assert list(table["runcat"]) == [7]
    [row] = table
    assert row["type"] == "likely transient"
    assert row["peak_snr"] == 10 * flux(12)
    assert (row["images"], row["detections"]) == (1, 1)
    assert row["first_seen"] == "2014-05-13T17:23:20.000000"
    assert table["ra"].unit == units.deg


def test_variable_sources_come_after_the_new_ones_when_asked_for(run: Path) -> None:
    with trap_hpc.open_run(run / "catalogue.sqlite") as opened:
        table = opened.candidates(min_v=0.11, min_eta=1.1)
    assert list(table["runcat"]) == [7, 3, 8]
    assert list(table["type"]) == ["likely transient", "variable", "variable"]
    assert list(table["detections"]) == [1, 3, 0]
    assert list(table["newsource_type"].mask) == [False, True, True]
    assert np.isnan(table["peak_snr"][2]), "a forced fit's peak may be a neighbour's"


def test_sources_are_the_running_catalogue(run: Path) -> None:
    with trap_hpc.open_run(run) as opened:
        table = opened.sources()
    assert list(table["runcat"]) == list(FIRST)
    assert list(table["mon_src"]) == [False] * 5 + [True]
    assert table["lightcurve_max"].unit == units.Jy


def test_a_light_curve_is_in_time_order(run: Path) -> None:
    with trap_hpc.open_run(run) as opened:
        table = opened.light_curve(5)
    assert list(zip(table["xtrsrc"], table["type"], strict=True)) == CURVES[5]
    assert list(table["f_int"]) == [flux(x) for x, _ in CURVES[5]]
    assert table["f_int"].unit == units.Jy
    assert np.all(table["freq_central"] == 150e6)


def test_a_source_may_be_named_by_a_cell_of_a_table(run: Path) -> None:
    with trap_hpc.open_run(run) as opened:
        runcat = opened.sources()["runcat"][0]
        assert set(opened.light_curve(runcat)["runcat"]) == {runcat}


def test_an_unknown_source_is_said(run: Path) -> None:
    with (
        trap_hpc.open_run(run) as opened,
        pytest.raises(UsageError, match="no source 99"),
    ):
        opened.light_curve(99)


def test_images_come_with_their_rejections(run: Path) -> None:
    with trap_hpc.open_run(run) as opened:
        table = opened.images()
    assert list(table["rejection"]) == ["", "beam invalid", "", "", ""]
    assert np.isnan(table["rms_min"][1])
    assert list(table["nx"]) == [512] * 5


def test_refusals_are_told(run: Path) -> None:
    with trap_hpc.open_run(run) as opened:
        table = opened.refusals()
    assert list(table["kind"]) == [refusal.kind for refusal in REFUSALS]


def test_a_growing_run_shows_its_images_but_no_sources_yet(tmp_path: Path) -> None:
    with new_catalogue(tmp_path) as catalogue:
        catalogue.add_step(next(steps()))
        catalogue.checkpoint()
    with trap_hpc.open_run(tmp_path) as opened:
        assert len(opened.images()) == 1
        with pytest.raises(UsageError, match="not finished"):
            opened.candidates()


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://me:secret@host/db",
        "postgresql://me:se/cr@et@host:5432/db",
        "postgresql://:secret@host/db",
        "postgresql://host/db?user=me&password=secret",
    ],
)
def test_a_password_in_a_url_is_seen_and_hidden(url: str) -> None:
    assert has_password(url)
    assert "secret" not in redacted(url)
    assert "et@" not in redacted(url)
    assert "host" in redacted(url)


@pytest.mark.parametrize("url", ["postgresql://me@host/db", "postgresql:///db"])
def test_a_url_without_password_stays_as_it_is(url: str) -> None:
    assert not has_password(url)
    assert redacted(url) == url

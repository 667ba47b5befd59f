from __future__ import annotations

from datetime import datetime
from pathlib import Path

import h5py
import pytest

from tests.catalogues import (
    CURVES,
    ask,
    dump,
    flux,
    made_run,
)
from trap_hpc.catalogue import rows

LIGHT_CURVE_QUERY = """
SELECT im.taustart_ts, im.tau_time, ex.f_int, ex.f_int_err, ex.id, im.band, im.stokes,
       bd.freq_central
  FROM extractedsource ex, assocxtrsource ax, image im, frequencyband bd
 WHERE ax.runcat IN (SELECT runcat FROM assocxtrsource WHERE xtrsrc = ?)
   AND ax.xtrsrc = ex.id AND ex.image = im.id AND bd.id = im.band
 ORDER BY im.taustart_ts
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made_run(tmp_path_factory.mktemp("run"))


def test_a_split_of_a_split_hands_on_all_inherited_points(run: Path) -> None:
    query = "SELECT xtrsrc, type FROM assocxtrsource WHERE runcat = ? ORDER BY xtrsrc"
    assert {source: ask(run, query, source) for source in CURVES} == CURVES
    assert ask(run, "SELECT COUNT(*) FROM assocxtrsource") == [(18,)]


def test_inherited_points_keep_their_numbers(run: Path) -> None:
    query = "SELECT r, v_int, eta_int FROM assocxtrsource WHERE runcat = 6"
    assert ask(run, query + " AND xtrsrc = 4") == [(0.5, 0.04, 0.4)]


def test_a_forced_fit_forgets_the_source_that_was_replaced(run: Path) -> None:
    assert ask(run, "SELECT ff_runcat FROM extractedsource WHERE id = 4") == [(None,)]


def test_the_light_curve_query_of_trap_users_works(run: Path) -> None:
    found = ask(run, LIGHT_CURVE_QUERY, 7)
    assert [row[4] for row in found] == [2, 3, 7, 10]
    assert found[0][0] == "2014-05-13 16:53:20.000000"
    assert found[0][6:] == (1, 150e6)


def test_nan_is_null(run: Path) -> None:
    query = "SELECT id FROM extractedsource WHERE chisq IS NULL"
    assert ask(run, query) == [(1,)]
    assert ask(run, "SELECT COUNT(*) FROM assocskyrgn WHERE distance_deg IS NULL") == [
        (6,)
    ]


def test_a_rejected_image_has_its_reason_and_no_thresholds(run: Path) -> None:
    query = "SELECT rms_min, detection_thresh FROM image WHERE id = ?"
    assert ask(run, query, 2) == [(None, None)]
    assert ask(run, query, 1) == [(0.01, 8.0)]
    assert ask(run, "SELECT image, rejectreason, comment FROM rejection") == [
        (2, 1, "Beam too elliptical")
    ]


def test_parameters_stand_in_config_as_trap_writes_them(run: Path) -> None:
    query = "SELECT value, type FROM config WHERE section = ? AND key = ?"
    assert ask(run, query, "source_extraction", "margin") == [("10", "int")]
    assert ask(run, query, "source_extraction", "force_beam") == [("True", "bool")]


def test_a_monitored_position_without_a_fit_has_no_source(run: Path) -> None:
    assert ask(run, "SELECT id, runcat FROM monitor") == [(1, 8), (2, None)]


def test_varmetric_follows_from_the_light_curves(run: Path) -> None:
    query = "SELECT lightcurve_max, v_int, band FROM varmetric WHERE runcat = 2"
    [(largest, v_int, band)] = ask(run, query)
    assert (largest, band) == (max(flux(x) for x, _ in CURVES[2]), 1)
    assert v_int == 0.1  # of extraction 10, the latest


def test_varmetric_of_a_new_source_compares_with_the_limits(run: Path) -> None:
    query = (
        "SELECT newsource, sigma_rms_max, sigma_rms_min FROM varmetric WHERE runcat=7"
    )
    assert ask(run, query) == [(1, flux(12) / 0.08, flux(12) / 0.04)]


def test_the_file_of_light_curves_holds_the_same_points(run: Path) -> None:
    with h5py.File(str(run / "lightcurves.h5")) as file:
        assert file.attrs["schema_version"] == 1
        index = {k: file["sources"][k][()] for k in ("runcat", "offset", "count")}
        points = {k: file["points"][k][()] for k in ("xtrsrc", "type", "f_int")}
        mjd = file["points/taustart_mjd"][()]
    found = {
        int(runcat): [
            (int(points["xtrsrc"][i]), int(points["type"][i]))
            for i in range(offset, offset + count)
        ]
        for runcat, offset, count in zip(*index.values(), strict=True)
    }
    assert found == CURVES
    assert points["f_int"].tolist() == [flux(x) for x in points["xtrsrc"]]
    assert mjd[0] == pytest.approx(56790.703703703, abs=1e-8)


def test_light_curves_are_the_same_when_they_do_not_fit_in_memory(
    tmp_path: Path, run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trap_hpc.catalogue.lightcurves.POINTS_AT_ONCE", 3)
    assert dump(made_run(tmp_path / "parts")) == dump(run)


def test_times_are_kept_to_the_microsecond() -> None:
    time_us = 1_400_000_000_123_456
    assert rows.timestamp(time_us) == "2014-05-13 16:53:20.123456"
    moment = datetime.fromisoformat(rows.timestamp(time_us))
    assert rows.microseconds(moment) == time_us


@pytest.mark.parametrize(
    ("address", "plane"),
    [("a.fits", 0), ("a.fits[12]", 12), ("b#7.fits", 0), ("night.h5#17", 17)],
)
def test_the_plane_is_read_from_the_address(address: str, plane: int) -> None:
    assert rows.plane(address) == plane

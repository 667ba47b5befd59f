from __future__ import annotations

import sqlite3
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import h5py
import pytest

from tests.catalogues import (
    CURVES,
    REFUSALS,
    final_tables,
    flux,
    made_run,
    new_catalogue,
    steps,
)
from trap_hpc.catalogue import finish, rows
from trap_hpc.catalogue.store import Catalogue
from trap_hpc.config.parameters import JobParameters
from trap_hpc.errors import CatalogueError, StorageError

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


def ask(run: Path, query: str, *values: object) -> list[tuple[Any, ...]]:
    connection = sqlite3.connect(run / "catalogue.sqlite")
    try:
        return connection.execute(query, values).fetchall()
    finally:
        connection.close()


def dump(run: Path) -> list[str]:
    """Everything but the times of processing."""
    connection = sqlite3.connect(run / "catalogue.sqlite")
    lines = [
        line
        for line in connection.iterdump()
        if 'INTO "dataset"' not in line and "trap_hpc_info" not in line
    ]
    connection.close()
    return lines


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


def test_a_run_that_was_killed_goes_on_from_its_last_checkpoint(
    tmp_path: Path, run: Path
) -> None:
    with new_catalogue(tmp_path) as catalogue:
        first, second, third, _ = steps()
        catalogue.add_step(first)
        catalogue.add_step(second)
        catalogue.checkpoint()
        catalogue.add_step(third)  # and is lost
    with Catalogue.open(tmp_path / "catalogue.sqlite") as catalogue:
        assert catalogue.steps_done == 2
        for step in steps():
            catalogue.add_step(step)
            catalogue.checkpoint()
        catalogue.add_refusals(REFUSALS)
        catalogue.finish(final_tables())
    assert dump(tmp_path) == dump(run)


def test_finishing_again_after_a_crash_gives_the_same(
    tmp_path: Path, run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(*_: object) -> None:
        raise KeyboardInterrupt

    with new_catalogue(tmp_path) as catalogue:
        for step in steps():
            catalogue.add_step(step)
        catalogue.add_refusals(REFUSALS)
        with monkeypatch.context() as patch:
            patch.setattr(finish, "index_references", crash)
            with pytest.raises(KeyboardInterrupt):
                catalogue.finish(final_tables())
    with Catalogue.open(tmp_path / "catalogue.sqlite") as catalogue:
        assert not catalogue.finished
        catalogue.finish(final_tables())
    assert dump(tmp_path) == dump(run)


def test_a_finished_catalogue_makes_its_lost_light_curves_again(tmp_path: Path) -> None:
    made_run(tmp_path)
    before = (tmp_path / "lightcurves.h5").read_bytes()
    (tmp_path / "lightcurves.h5").unlink()
    with Catalogue.open(tmp_path / "catalogue.sqlite") as catalogue:
        for step in steps():
            catalogue.add_step(step)
        catalogue.finish(final_tables())
    assert len((tmp_path / "lightcurves.h5").read_bytes()) == len(before)
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "catalogue.sqlite",
        "lightcurves.h5",
    ]


def test_a_finished_catalogue_takes_no_more_steps(tmp_path: Path) -> None:
    made_run(tmp_path)
    with Catalogue.open(tmp_path / "catalogue.sqlite") as catalogue:
        for step in steps():
            catalogue.add_step(step)
        with pytest.raises(CatalogueError, match="takes no more time steps"):
            catalogue.add_step(next(steps()))


def test_a_replay_of_other_images_is_refused(tmp_path: Path) -> None:
    with new_catalogue(tmp_path) as catalogue:
        for step in steps():
            catalogue.add_step(step)
        catalogue.checkpoint()
    with Catalogue.open(tmp_path / "catalogue.sqlite") as catalogue:
        *others, last = [*steps(first=1), next(steps())]
        for step in others:
            catalogue.add_step(step)
        with pytest.raises(CatalogueError, match="other images or parameters"):
            catalogue.add_step(last)


def test_refusals_said_twice_count_once(tmp_path: Path) -> None:
    with new_catalogue(tmp_path) as catalogue:
        catalogue.add_refusals(REFUSALS)
        catalogue.checkpoint()
        catalogue.add_refusals(REFUSALS[:1])
        catalogue.checkpoint()
    assert ask(tmp_path, "SELECT COUNT(*) FROM trap_hpc_refusal") == [(2,)]


def test_a_run_of_nothing_can_be_finished(tmp_path: Path) -> None:
    final = final_tables()
    empty = type(final)(
        **{name: getattr(final, name)[:0] for name in final.__dataclass_fields__}
    )
    with new_catalogue(tmp_path) as catalogue:
        catalogue.finish(empty)
    assert ask(tmp_path, "SELECT COUNT(*) FROM varmetric") == [(0,)]
    assert (tmp_path / "lightcurves.h5").exists()


def test_replacing_a_catalogue_forgets_the_old_one(tmp_path: Path) -> None:
    made_run(tmp_path)
    path = tmp_path / "catalogue.sqlite"
    with pytest.raises(StorageError, match="exists already"):
        new_catalogue(tmp_path)
    Catalogue.create(
        path, parameters=JobParameters(), run_id="trap-made", replace=True
    ).close()
    assert ask(tmp_path, "SELECT COUNT(*) FROM image") == [(0,)]
    assert not (tmp_path / "lightcurves.h5").exists()


def test_a_full_disk_is_said_and_what_was_certain_stays(tmp_path: Path) -> None:
    with new_catalogue(tmp_path) as catalogue:
        catalogue.add_step(next(steps()))
        catalogue.checkpoint()
        catalogue._connection.exec_driver_sql("PRAGMA max_page_count = 1")
        much = replace(REFUSALS[0], reason="x" * 1_000_000)
        with pytest.raises(StorageError, match="full.*resume"):
            catalogue.add_refusals([much])
    with Catalogue.open(tmp_path / "catalogue.sqlite") as catalogue:
        assert catalogue.steps_done == 1


def test_a_folder_that_may_not_be_written_is_said(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"can't be opened|can't be written"):
        Catalogue.create(
            tmp_path / "missing" / "catalogue.sqlite",
            parameters=JobParameters(),
            run_id="trap-made",
        )


def test_a_file_that_is_no_catalogue_is_said(tmp_path: Path) -> None:
    path = tmp_path / "catalogue.sqlite"
    path.write_text("This is no database, but a letter. " * 100)
    with pytest.raises(StorageError, match="something else"):
        Catalogue.open(path)
    path.write_bytes(b"")
    with pytest.raises(CatalogueError, match="not a catalogue of trap-hpc"):
        Catalogue.open(path)


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

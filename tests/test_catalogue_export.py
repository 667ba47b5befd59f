from __future__ import annotations

import csv
from pathlib import Path

import h5py
import numpy as np
import pytest
from astropy.table import Table

import trap_hpc
from tests.catalogues import CURVES, FIRST, flux, made_run
from trap_hpc.catalogue.export import TABLES, export
from trap_hpc.errors import StorageError, UsageError


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made_run(tmp_path_factory.mktemp("run"))


def test_a_votable_holds_all_tables_with_units(run: Path, tmp_path: Path) -> None:
    out = tmp_path / "new folder" / "night.vot"
    with trap_hpc.open_run(run) as opened:
        assert export(opened, "votable", out) == [out]
    points = Table.read(out, table_id="light_curves")
    assert list(points["f_int"]) == [
        flux(xtrsrc) for curve in CURVES.values() for xtrsrc, _ in curve
    ]
    assert str(points["f_int"].unit) == "Jy"
    candidates = Table.read(out, table_id="candidates")
    assert list(candidates["type"]) == ["likely transient"]


def test_csv_is_a_folder_with_a_file_a_table(run: Path, tmp_path: Path) -> None:
    with trap_hpc.open_run(run) as opened:
        paths = export(opened, "csv", tmp_path)
    assert [path.name for path in paths] == [f"{name}.csv" for name in TABLES]
    with (tmp_path / "sources.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [int(row["runcat"]) for row in rows] == list(FIRST)
    with (tmp_path / "images.csv").open(newline="") as file:
        noise = [row["rms_min"] for row in csv.DictReader(file)]
    assert noise == ["0.01", "", "0.03", "0.04", "0.05"]


def test_hdf5_holds_a_group_a_table(run: Path, tmp_path: Path) -> None:
    out = tmp_path / "night.h5"
    with trap_hpc.open_run(run) as opened:
        export(opened, "hdf5", out)
    with h5py.File(str(out)) as file:
        assert file.attrs["schema_version"] == 1
        assert set(file) == set(TABLES)
        assert list(file["sources/runcat"]) == list(FIRST)
        assert file["sources/lightcurve_max"].attrs["unit"] == "Jy"
        assert file["candidates/type"].asstr()[()].tolist() == ["likely transient"]


@pytest.mark.parametrize("form", ["csv", "votable", "hdf5"])
def test_tables_larger_than_a_part_are_whole(
    run: Path, tmp_path: Path, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trap_hpc.catalogue.astropy_tables._ROWS_AT_ONCE", 5)
    with trap_hpc.open_run(run) as opened:
        export(opened, form, tmp_path / "out")
    if form == "csv":
        points = Table.read(tmp_path / "out" / "light_curves.csv")
        assert list(points["f_int"]) == list(_points(run)["f_int"])
    elif form == "votable":
        points = Table.read(tmp_path / "out", table_id="light_curves", format="votable")
        assert list(points["f_int"]) == list(_points(run)["f_int"])
    else:
        with h5py.File(str(tmp_path / "out")) as file:
            assert np.array_equal(file["light_curves/f_int"], _points(run)["f_int"])


def _points(run: Path) -> Table:
    with trap_hpc.open_run(run) as opened:
        return opened.light_curves()


def test_an_export_replaces_an_older_one(run: Path, tmp_path: Path) -> None:
    out = tmp_path / "night.vot"
    out.write_text("old")
    with trap_hpc.open_run(run) as opened:
        export(opened, "votable", out)
    assert [path.name for path in tmp_path.iterdir()] == ["night.vot"]
    assert len(Table.read(out, table_id="sources")) == len(FIRST)


def test_an_unknown_format_is_said(run: Path, tmp_path: Path) -> None:
    with (
        trap_hpc.open_run(run) as opened,
        pytest.raises(UsageError, match="known: votable, csv, hdf5"),
    ):
        export(opened, "parquet", tmp_path / "out")


@pytest.mark.parametrize("form", ["csv", "votable", "hdf5"])
def test_a_place_that_can_not_be_written_is_said(
    run: Path, tmp_path: Path, form: str
) -> None:
    (tmp_path / "file").write_text("in the way")
    with (
        trap_hpc.open_run(run) as opened,
        pytest.raises(StorageError, match="can't be written: .* export again"),
    ):
        export(opened, form, tmp_path / "file" / "out")

"""HDF5 files on a full disk: an error in words, and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

import trap_hpc
from tests.catalogues import made_run
from tests.full import files_end_at
from tests.made import fits_file, noise
from trap_hpc.catalogue import lightcurves
from trap_hpc.catalogue.export import export
from trap_hpc.catalogue.opened import opened
from trap_hpc.errors import StorageError
from trap_hpc.pipeline.images import pack
from trap_hpc.pipeline.steadyfile import SteadyFile


def left_in(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def test_what_is_written_can_be_read(tmp_path: Path) -> None:
    values = np.arange(1000.0)
    with SteadyFile(tmp_path / "a.h5", "x+") as stream:
        file: Any = stream
        with h5py.File(file, "w") as written:
            written["values"] = values
        stream.check()
    with h5py.File(str(tmp_path / "a.h5")) as read:
        assert np.array_equal(read["values"], values)


@pytest.mark.parametrize("size_bytes", [0, 100, 50_000])
def test_hdf5_closes_a_file_that_is_full(
    tmp_path: Path, size_bytes: int, capfd: pytest.CaptureFixture[str]
) -> None:
    with SteadyFile(tmp_path / "a.h5", "x+") as stream:
        file: Any = stream
        with files_end_at(size_bytes), h5py.File(file, "w") as written:
            for number in range(20):
                written[str(number)] = noise(64, 64)
        with pytest.raises(OSError, match="too large"):
            stream.check()
    assert capfd.readouterr().err == ""


def test_a_full_disk_leaves_no_pack(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    paths = [fits_file(tmp_path / f"{n}.fits", noise(64, 64)) for n in range(9)]
    (tmp_path / "out").mkdir()
    with files_end_at(30_000), pytest.raises(StorageError, match="name another file"):
        pack(paths, tmp_path / "out" / "night.h5")
    assert left_in(tmp_path / "out") == []
    assert capfd.readouterr().err == ""


def test_a_full_disk_leaves_no_export(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    made_run(tmp_path / "run")
    with (
        trap_hpc.open_run(tmp_path / "run") as run,
        files_end_at(3000),
        pytest.raises(StorageError, match="export again"),
    ):
        export(run, "hdf5", tmp_path / "out" / "night.h5")
    assert left_in(tmp_path / "out") == []
    assert capfd.readouterr().err == ""


def test_a_full_disk_leaves_no_light_curves(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    made_run(tmp_path / "run")
    catalogue = opened(tmp_path / "run")
    out = tmp_path / "out" / "lightcurves.h5"
    out.parent.mkdir()
    with files_end_at(3000), pytest.raises(OSError, match="too large"):
        lightcurves.write_light_curves(catalogue.connection, out)
    catalogue.close()
    assert left_in(tmp_path / "out") == []
    assert capfd.readouterr().err == ""

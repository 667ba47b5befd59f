from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.made import NX, NY, header_of, noise
from trap_hpc.errors import ImageError
from trap_hpc.pipeline.images import LofarHeader, pack, read, scan
from trap_hpc.pipeline.records import Header, Refusal

tables = pytest.importorskip("casacore.tables")
images = pytest.importorskip("casacore.images")

NOON_MJD = 56717.5
NOON_US = 1393675200_000000
BEAM: dict[str, Any] = {
    "restoringbeam": {
        "major": {"unit": "arcsec", "value": 108.0},
        "minor": {"unit": "arcsec", "value": 72.0},
        "positionangle": {"unit": "deg", "value": 30.0},
    }
}


def made(folder: Path, pixels: Any = None, info: Any = BEAM, **coords: Any) -> str:
    """Write a CASA image; ``coords`` replace parts of its coordinates."""
    path = str(folder / "a.image")
    images.image(path, values=noise(1, 1, NY, NX) if pixels is None else pixels)
    with tables.table(path, ack=False, readonly=False) as table:
        known = table.getkeyword("coords")
        known["obsdate"]["m0"]["value"] = NOON_MJD
        known["direction0"] |= {"crval": np.array([7404.0, 3174.0])}  # arcmin
        known["direction0"] |= {"cdelt": np.array([-0.3, 0.3])}
        for name, part in coords.items():
            known[name] = known[name] | part if isinstance(part, dict) else part
        table.putkeyword("coords", known)
        table.putkeyword("imageinfo", info)
    return path


def test_a_casa_image_of_any_telescope_is_read(tmp_path: Path) -> None:
    path = made(tmp_path, telescope="DISH", spectral2={"restfreq": 1.5e8})

    image = read(path)

    header = image.header
    assert header == header_of(path)
    assert np.array_equal(image.pixels, noise(1, 1, NY, NX)[0, 0])
    assert (header.taustart_us, header.tau_time_s) == (NOON_US, 1.0)
    assert (header.freq_eff_hz, header.freq_bw_hz) == (1.5e8, 1000.0)
    assert header.rb_smaj_deg == pytest.approx(0.015)
    assert header.centre_ra_deg == pytest.approx(123.4)
    assert header.centre_decl_deg == pytest.approx(52.9)
    assert header.deltax_deg == pytest.approx(-0.005)
    assert (header.nx, header.ny, header.telescope) == (NX, NY, "DISH")


def test_channels_of_a_casa_cube_are_images_of_their_own(tmp_path: Path) -> None:
    pixels = noise(3, 1, NY, NX)
    path = made(tmp_path, pixels)

    entries = scan(path)

    frequencies = [e.freq_eff_hz for e in entries if isinstance(e, Header)]
    assert np.diff(frequencies).tolist() == [1000, 1000]
    assert np.array_equal(read(f"{path}[2]").pixels, pixels[2, 0])


def test_polarisations_of_a_casa_cube_are_left_out(tmp_path: Path) -> None:
    path = made(tmp_path, noise(1, 2, NY, NX), stokes1={"stokes": ["I", "V"]})

    first, second = scan(path)

    assert isinstance(first, Header)
    assert isinstance(second, Refusal)
    assert (second.kind, second.reason) == (
        "left out",
        "Stokes V is not used, only Stokes I",
    )


def test_masked_pixels_are_not_numbers(tmp_path: Path) -> None:
    masked = np.ma.masked_less(noise(1, 1, NY, NX), 0)

    pixels = read(made(tmp_path, masked)).pixels

    assert np.array_equal(np.isnan(pixels), np.ma.getmaskarray(masked)[0, 0])


def test_a_casa_image_can_be_packed(tmp_path: Path) -> None:
    path = made(tmp_path)

    pack([path], tmp_path / "n.h5")

    assert read(f"{tmp_path}/n.h5#0").content == read(path).content


@pytest.mark.parametrize(
    ("info", "coords", "words"),
    [
        ({}, {}, "restoring beam is not known"),
        ({"perplanebeams": {}}, {}, "a beam of its own"),
        (BEAM, {"obsdate": {"m0": {"unit": "d", "value": 0.0}}}, "when it was taken"),
        (BEAM, {"direction0": {"cdelt": np.array([-0.3, 0.4])}}, "not square"),
        (BEAM, {"direction0": {"axes": ["Longitude", "Latitude"]}}, "right ascension"),
        (BEAM, {"pixelmap0": np.array([1, 0])}, "first two axes"),
    ],
)
def test_what_a_casa_image_lacks_is_named(
    tmp_path: Path, info: Any, coords: dict[str, Any], words: str
) -> None:
    (entry,) = scan(made(tmp_path, None, info, **coords))

    assert isinstance(entry, Refusal)
    assert words in entry.reason


def test_uneven_planes_are_refused(tmp_path: Path) -> None:
    path = made(tmp_path, noise(1, 3, NY, NX), stokes1={"stokes": ["I", "Q", "V"]})

    (entry,) = scan(path)

    assert isinstance(entry, Refusal)
    assert "not evenly spaced" in entry.reason


def column(name: str, like: Any, **keywords: Any) -> Any:
    make = (
        tables.makearrcoldesc if isinstance(like, np.ndarray) else tables.makescacoldesc
    )
    first = like.flat[0].item() if isinstance(like, np.ndarray) else like
    return make(name, first, keywords=keywords)


def add_table(image: str, name: str, rows: dict[str, list[Any]], **units: Any) -> None:
    described = [
        column(key, values[0], **units.get(key, {})) for key, values in rows.items()
    ]
    count = len(next(iter(rows.values())))
    path = f"{image}/{name}"
    with tables.table(path, tables.maketabdesc(described), count, ack=False) as table:
        for key, values in rows.items():
            for row, value in enumerate(values):
                table.putcell(key, row, value)


def test_lofar_tables_tell_of_stations_and_times(tmp_path: Path) -> None:
    path = made(tmp_path, telescope="LOFAR")
    start = NOON_MJD * 86400
    observation: dict[str, list[Any]] = {
        "OBSERVATION_START": [start + 100, start],
        "ANTENNA_SET": ["HBA", "HBA"],
        "CLOCK_FREQUENCY": [200.0, 200.0],
        "NVIS_USED": [np.array([[1, 2], [0, 0], [3, 0], [1, 1]])] * 2,
    }
    units = {"CLOCK_FREQUENCY": {"QuantumUnits": ["MHz"]}}
    add_table(path, "LOFAR_OBSERVATION", observation, **units)
    overlapping = {"START": [start, start + 50], "END": [start + 60, start + 90]}
    add_table(path, "LOFAR_ORIGIN", {"NUM_CHAN": [10, 10]} | overlapping)
    stations = ["CS001", "RS106", "RS205", "DE601"]
    add_table(path, "LOFAR_ANTENNA", {"NAME": stations})
    names = ("LOFAR_OBSERVATION", "LOFAR_ORIGIN", "LOFAR_ANTENNA")
    with tables.table(path, ack=False, readonly=False) as table:
        moved = {name: f"/where/it/was/made/{name}" for name in names}
        table.putkeyword("ATTRGROUPS", moved)

    image = read(path)

    assert (image.header.taustart_us, image.header.tau_time_s) == (NOON_US, 90)
    assert image.lofar == LofarHeader(
        antenna_set="HBA",
        ncore=1,
        nremote=1,
        nintl=1,
        subbands=10,
        subbandwidth_hz=195312.5,
    )


def test_a_table_that_is_no_image_is_named(tmp_path: Path) -> None:
    path = str(tmp_path / "a.ms")
    described = tables.maketabdesc([tables.makescacoldesc("a", 1.0)])
    tables.table(path, described, 1, ack=False).close()

    with pytest.raises(ImageError, match="a CASA table, but not an image"):
        read(path)


@pytest.mark.parametrize("name", ["table.dat", "table.f0_TSM0"])
def test_a_damaged_table_is_refused(tmp_path: Path, name: str) -> None:
    path = made(tmp_path)
    Path(path, name).write_bytes(b"x")

    with pytest.raises(ImageError, match="could not be read"):
        read(path)


def test_without_casacore_it_is_said_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = made(tmp_path)
    monkeypatch.setitem(sys.modules, "casacore.tables", None)

    (entry,) = scan(path)

    assert isinstance(entry, Refusal)
    assert 'pip install "trap-hpc[casa]"' in entry.reason

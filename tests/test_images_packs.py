from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any

import h5py
import numpy as np
import pytest

from tests.made import CARDS, NX, NY, fits_file, noise, with_cards
from trap_hpc.errors import ImageError, StorageError, UsageError
from trap_hpc.pipeline.images import PackReport, pack, packing, read, scan
from trap_hpc.pipeline.records import Header, Refusal

LOFAR: dict[str, Any] = {
    "TELESCOP": "LOFAR",
    "ANTENNA": "HBA",
    "NCORE": 1,
    "NREMOTE": 2,
    "NINTL": 3,
    "SUBBANDS": 4,
    "SUBBANDW": 5.5,
    "PV2_1": 0.001,
}


@pytest.fixture
def originals(tmp_path: Path) -> list[str]:
    """Make images of different shapes, types and stations, and a cube of two planes."""
    axis = {"CTYPE3": "FREQ", "CRVAL3": 1e8, "CDELT3": 1e6}
    return [
        fits_file(tmp_path / "a.fits"),
        fits_file(tmp_path / "b.fits", noise(30, 20, dtype="f8")),
        fits_file(tmp_path / "c.fits", noise(2, NY, NX), cards=CARDS | axis),
        fits_file(tmp_path / "d.fits", noise() * 2, cards=CARDS | LOFAR),
    ]


def packed(paths: list[str], out: Path, **options: Any) -> PackReport:
    return pack(paths, out, **options)


@pytest.mark.parametrize("compression", [None, "gzip", "lzf"])
def test_a_pack_gives_the_same_images(
    tmp_path: Path, originals: list[str], compression: str | None
) -> None:
    out = tmp_path / "night.h5"

    report = pack(originals, out, compression=compression)

    addresses = [entry.address for path in originals for entry in scan(path)]
    assert (report.path, report.packed, report.refused) == (out, 5, [])
    assert [entry.address for entry in scan(str(out))] == [
        f"{out}#{n}" for n in range(5)
    ]
    for n, address in enumerate(addresses):
        original, image = read(address), read(f"{out}#{n}")
        assert image.content == original.content
        assert image.pixels.dtype == original.pixels.dtype
        assert np.array_equal(image.pixels, original.pixels)
        assert (image.sky, image.lofar) == (original.sky, original.lofar)
        assert image.header.address == f"{out}#{n}"


def test_scanning_a_pack_gives_the_headers_of_its_images(
    tmp_path: Path, originals: list[str]
) -> None:
    pack(originals, tmp_path / "night.h5")

    for entry in scan(str(tmp_path / "night.h5")):
        assert entry == read(entry.address).header


def test_planes_are_single_chunks_and_originals_are_noted(
    tmp_path: Path, originals: list[str]
) -> None:
    pack(originals, tmp_path / "night.h5")

    with h5py.File(str(tmp_path / "night.h5")) as file:
        assert file.attrs["schema_version"] == 1
        assert file[f"pixels/{NY}x{NX}_float32"].shape == (4, NY, NX)
        assert file[f"pixels/{NY}x{NX}_float32"].chunks == (1, NY, NX)
        assert originals[0].encode() in file["planes"][0]


def test_packs_can_be_packed(tmp_path: Path, originals: list[str]) -> None:
    pack(originals, tmp_path / "a.h5")
    pack([str(tmp_path / "a.h5"), originals[0]], tmp_path / "b.hdf5")

    contents = [read(entry.address).content for entry in scan(f"{tmp_path}/b.hdf5")]
    assert len(contents) == 6
    assert contents[0] == contents[5]


def test_what_can_not_be_read_is_reported_and_left_out(tmp_path: Path) -> None:
    axis = {"CTYPE3": "STOKES", "CRVAL3": 1.0, "CDELT3": 1.0}
    cube = fits_file(tmp_path / "cube.fits", noise(2, NY, NX), cards=CARDS | axis)
    paths = [cube, str(tmp_path / "gone.fits"), fits_file(tmp_path / "a.fits")]
    seen: list[tuple[int, int]] = []

    report = pack(
        paths, tmp_path / "n.h5", progress=lambda *counts: seen.append(counts)
    )

    assert report.packed == 2
    assert [(refusal.address, refusal.kind) for refusal in report.refused] == [
        (f"{cube}[1]", "left out"),
        (paths[1], "unreadable"),
    ]
    assert seen == [(1, 3), (2, 3), (3, 3)]


def test_nothing_to_pack_writes_nothing(tmp_path: Path) -> None:
    report = pack([str(tmp_path / "gone.fits")], tmp_path / "n.h5")

    assert (report.packed, len(report.refused)) == (0, 1)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("out", "words"),
    [
        ("a.fits", "must end in .h5 or .hdf5"),
        ("there.h5", "is there already"),
        ("gone/n.h5", "no such folder"),
    ],
)
def test_a_wrong_place_for_a_pack_is_named(
    tmp_path: Path, out: str, words: str
) -> None:
    (tmp_path / "there.h5").touch()

    with pytest.raises(UsageError, match=words):
        pack([], tmp_path / out)


def test_a_full_disk_leaves_no_half_pack(
    tmp_path: Path, originals: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(partial: Path, out: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(packing, "_publish", full)

    with pytest.raises(StorageError, match="No space left"):
        pack(originals, tmp_path / "n.h5")

    assert not [path for path in tmp_path.iterdir() if path.suffix != ".fits"]


def damaged(path: Path, content: bytes) -> str:
    path.write_bytes(content)
    return str(path)


def test_files_that_are_no_packs_are_named(tmp_path: Path) -> None:
    out = tmp_path / "n.h5"
    pack([with_cards(tmp_path)], out)
    whole = out.read_bytes()
    with h5py.File(str(tmp_path / "other.h5"), "w") as file:
        file["a"] = 1
    with h5py.File(str(out), "r+") as file:
        file.attrs["schema_version"] = 99

    reasons = {
        str(tmp_path / "gone.h5"): "does not exist",
        damaged(tmp_path / "text.h5", b"hello"): "not an HDF5 file",
        damaged(tmp_path / "cut.h5", whole[: len(whole) // 2]): "cut short",
        str(tmp_path / "other.h5"): "not a pack",
        str(out): "version 99",
    }

    for path, words in reasons.items():
        (entry,) = scan(path)
        assert isinstance(entry, Refusal)
        assert words in entry.reason
        with pytest.raises(ImageError, match=words):
            read(f"{path}#0")


def test_planes_that_are_not_in_a_pack_are_named(tmp_path: Path) -> None:
    pack([with_cards(tmp_path)], tmp_path / "n.h5")

    with pytest.raises(ImageError, match="no plane 1: it has 1"):
        read(f"{tmp_path}/n.h5#1")


@pytest.mark.parametrize("what", [b'"nx": 16', b"pixels"])
def test_damage_to_one_plane_is_refused_alone(tmp_path: Path, what: bytes) -> None:
    axis = {"CTYPE3": "FREQ", "CRVAL3": 1e8, "CDELT3": 1e6}
    cube = fits_file(tmp_path / "a.fits", noise(2, NY, NX), cards=CARDS | axis)
    out = tmp_path / "n.h5"
    pack([cube], out)
    content = out.read_bytes()
    spot = noise(2, NY, NX)[0].tobytes() if what == b"pixels" else what
    other = bytes([spot[0] ^ 1]) + spot[1:]
    out.write_bytes(content.replace(spot, other, 1))

    with pytest.raises(ImageError, match="damaged"):
        read(f"{out}#0")
    assert read(f"{out}#1").header.nx == NX
    assert isinstance(scan(str(out))[1], Header)


def test_damaged_packs_give_images_or_reasons(tmp_path: Path) -> None:
    out = tmp_path / "n.h5"
    pack([with_cards(tmp_path)], out)
    whole, random = out.read_bytes(), Random(0)

    for _ in range(200):
        content = bytearray(whole)
        for _ in range(random.choice([1, 5, 100])):
            content[random.randrange(len(whole))] = random.randrange(256)
        out.write_bytes(content[: random.randint(0, 2 * len(whole))])
        for entry in scan(str(out)):
            if isinstance(entry, Header):
                with suppress(ImageError):
                    assert read(entry.address).header == entry

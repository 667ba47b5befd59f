"""A thousand damaged files: each gives images or reasons, never another exception."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from random import Random

import pytest

from tests.made import CARDS, NX, NY, fits_file, noise
from trap_hpc.errors import ImageError
from trap_hpc.pipeline.images import read, scan
from trap_hpc.pipeline.records import Header, Refusal

FILES_A_SEED = 50
CARD = 80
VALUES = [
    *("0", "-1", "1", "2", "7", "99999999999", "1e308", "-1E-400", "NaN", "T", "F"),
    *("''", "'abc", "'FREQ'", "'STOKES'", "'TIME'", "'RA---TAN'", "'deg'", "'GHz'"),
    *("'2014-03-01T12:00:61'", "'99/99/99'", "1e5", "(1,2)", "= =", "", "-32", "16"),
]
KEYS = [
    *("BITPIX", "BSCALE", "BLANK", "NAXIS3", "CDELT3", "CROTA2"),
    *("PC1_1", "CD1_1", "MJDREF", "PV2_1", "LONPOLE"),
]

CUBE = CARDS | {"CTYPE3": "FREQ", "CRVAL3": 1e8, "CDELT3": 1e6, "CTYPE4": "STOKES"}
CUBE |= {"CRVAL4": 1.0, "CTYPE5": "TIME", "CDELT5": 1.0}
LOFAR = CARDS | {"TELESCOP": "LOFAR", "ANTENNA": "HBA", "NCORE": 1, "NREMOTE": 2}
LOFAR |= {"NINTL": 3, "SUBBANDS": 4, "SUBBANDW": 5.5}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    """Return the bytes of undamaged files of several kinds."""
    folder = tmp_path_factory.mktemp("whole")
    paths = [
        fits_file(folder / "flat.fits"),
        fits_file(folder / "lofar.fits", noise(1, 1, NY, NX), cards=LOFAR),
        fits_file(folder / "cube.fits", noise(2, 2, 2, NY, NX), cards=CUBE),
        fits_file(folder / "counts.fits", noise(dtype="i2"), cards=CARDS),
    ]
    return [Path(path).read_bytes() for path in paths]


def end_of_header(content: bytes) -> int:
    return content.index(b"END".ljust(CARD)) + CARD


def flip(content: bytes, random: Random) -> bytes:
    """Set a few bytes of the header to anything."""
    damaged = bytearray(content)
    for _ in range(random.randint(1, 20)):
        damaged[random.randrange(end_of_header(content))] = random.randrange(256)
    return bytes(damaged)


def flip_anywhere(content: bytes, random: Random) -> bytes:
    damaged = bytearray(content)
    for _ in range(random.randint(1, 500)):
        damaged[random.randrange(len(content))] = random.randrange(256)
    return bytes(damaged)


def truncate(content: bytes, random: Random) -> bytes:
    return content[: random.randrange(len(content))]


def change_card(content: bytes, random: Random) -> bytes:
    """Give some cards values that make no sense there."""
    damaged = bytearray(content)
    for _ in range(random.randint(1, 3)):
        start = random.randrange(end_of_header(content) // CARD) * CARD
        value = f"{random.choice(VALUES):>20}".encode()
        damaged[start + 10 : start + CARD] = value.ljust(CARD - 10)
    return bytes(damaged)


def change_key(content: bytes, random: Random) -> bytes:
    """Make other cards of some: what they were is missing, what they are is wrong."""
    damaged = bytearray(content)
    for _ in range(random.randint(1, 3)):
        start = random.randrange(1, end_of_header(content) // CARD - 1) * CARD
        damaged[start : start + 8] = random.choice(KEYS).ljust(8).encode()
    return bytes(damaged)


def shift(content: bytes, random: Random) -> bytes:
    """Lose or gain a piece, so that all that follows is out of place."""
    start, length = random.randrange(len(content)), random.randint(1, 200)
    return content[:start] + random.choice([b"", b"?" * 77]) + content[start + length :]


def squeeze(content: bytes, random: Random) -> bytes:
    """Damage a compressed file."""
    return flip_anywhere(gzip.compress(content, 1), random)


DAMAGES: list[Callable[[bytes, Random], bytes]] = [
    *(flip, flip_anywhere, truncate, change_card, change_key, shift, squeeze)
]


def check(path: str) -> int:
    """Scan a file and read all its images; return how many could be read."""
    readable = 0
    entries = scan(path)
    assert entries
    for entry in entries:
        if isinstance(entry, Refusal):
            assert entry.reason
            assert "\n" not in entry.reason
            continue
        assert isinstance(entry, Header)
        with suppress(ImageError):
            image = read(entry.address)
            assert image.header == entry
            assert image.pixels.shape == (entry.ny, entry.nx)
            readable += 1
    return readable


@pytest.mark.parametrize("seed", range(20))
def test_damaged_files_give_images_or_reasons(
    tmp_path: Path, whole: list[bytes], seed: int
) -> None:
    random = Random(seed)
    path = tmp_path / "a.fits"
    for _ in range(FILES_A_SEED):
        path.write_bytes(random.choice(DAMAGES)(random.choice(whole), random))
        check(str(path))


def test_the_undamaged_files_can_all_be_read(
    tmp_path: Path, whole: list[bytes]
) -> None:
    path = tmp_path / "a.fits"
    counts = []
    for content in whole:
        path.write_bytes(content)
        counts.append(check(str(path)))

    assert counts == [1, 1, 4, 1]

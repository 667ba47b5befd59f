from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from trap_hpc.errors import StorageError, UsageError
from trap_hpc.pipeline.images import expand, read, scan
from trap_hpc.pipeline.records import Header
from trap_hpc.simulate import Truth, simulate


@pytest.fixture(scope="module")
def sky(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Truth]:
    """Make a small sky of 8 time steps in two bands."""
    out = tmp_path_factory.mktemp("sky")
    kinds: Any = {"sources": 4, "variables": 1, "transients": 1}
    return out, simulate(out, images=16, size=192, bands=2, seed=3, **kinds)


def test_files_and_truth_are_written(sky: tuple[Path, Truth]) -> None:
    out, truth = sky

    written = json.loads((out / "truth.json").read_text())

    assert [Path(path).name for path in expand([str(out)])] == truth.files
    assert written["schema_version"] == 1
    assert [source["ra_deg"] for source in written["sources"]] == [
        source.ra_deg for source in truth.sources
    ]


def test_headers_say_when_and_in_which_band(sky: tuple[Path, Truth]) -> None:
    out, truth = sky
    headers = [entry for path in expand([str(out)]) for entry in scan(path)]

    times = [h.taustart_us for h in headers if isinstance(h, Header)]
    bands = [h.freq_eff_hz for h in headers if isinstance(h, Header)]

    assert np.diff(times[::2]).tolist() == [600_000_000] * 7
    assert bands == truth.freq_hz * 8


def test_sources_have_their_fluxes_at_their_places(sky: tuple[Path, Truth]) -> None:
    out, truth = sky
    for n, name in enumerate(truth.files):
        step, band = divmod(n, 2)
        image = read(str(out / name))
        for source in truth.sources:
            x, y = image.sky.to_pixel(source.ra_deg, source.decl_deg)
            assert float(x) == pytest.approx(source.x)
            assert float(y) == pytest.approx(source.y)
            flux = source.flux_jy[band][step]
            # Half a pixel off the centre costs 4 % at most.
            error = abs(image.pixels[round(source.y), round(source.x)] - flux)
            assert error < 0.04 * flux + 6 * truth.noise_jy


def test_noise_is_as_strong_as_said_and_as_wide_as_the_beam(
    tmp_path: Path,
) -> None:
    none: Any = {"sources": 0, "variables": 0, "transients": 0}
    truth = simulate(tmp_path, images=1, size=256, seed=1, **none)

    pixels = read(str(tmp_path / truth.files[0])).pixels

    neighbours = np.corrcoef(pixels[:, :-1].ravel(), pixels[:, 1:].ravel())[0, 1]
    assert pixels.std() == pytest.approx(truth.noise_jy, rel=0.1)
    assert 0.9 < neighbours < 1


def test_sources_keep_apart_and_inside_of_the_searched_circle(
    tmp_path: Path,
) -> None:
    truth = simulate(tmp_path, images=5, seed=2)

    x = np.array([source.x for source in truth.sources])
    y = np.array([source.y for source in truth.sources])
    distances = np.hypot(x[:, None] - x, y[:, None] - y)[~np.eye(len(x), dtype=bool)]
    assert np.hypot(x - 255.5, y - 255.5).max() < truth.search_radius_pix - 10
    assert distances.min() > 12


def test_kinds_of_sources_behave_as_they_are_called(tmp_path: Path) -> None:
    truth = simulate(tmp_path, images=24, size=192, sources=3, seed=5)

    for source in truth.sources:
        sigma = np.array(source.flux_jy[0]) / truth.noise_jy
        if source.kind == "transient":
            assert (sigma[:6] == 0).all()
            assert sigma.max() > 20
        else:
            assert sigma.min() > 20
            assert (np.ptp(sigma) > 0) == (source.kind == "variable")


def test_the_same_seed_gives_the_same_images(tmp_path: Path) -> None:
    numbers: Any = {
        "images": 5,
        "size": 128,
        "sources": 2,
        "variables": 0,
        "transients": 1,
    }
    contents = []
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        truth = simulate(tmp_path / name, seed=seed, **numbers)
        contents.append([read(str(tmp_path / name / f)).content for f in truth.files])

    assert contents[0] == contents[1]
    assert not set(contents[0]) & set(contents[2])


def test_progress_is_told(tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    none: Any = {"sources": 0, "variables": 0, "transients": 0}

    simulate(tmp_path, images=2, size=64, progress=lambda *n: seen.append(n), **none)

    assert seen == [(1, 2), (2, 2)]


@pytest.mark.parametrize(
    ("numbers", "words"),
    [
        ({"images": 0}, "multiple of the number of bands"),
        ({"images": 5, "bands": 2}, "multiple of the number of bands"),
        ({"images": 5, "size": 32}, "at least 64 pixels"),
        ({"images": 5, "sources": -1}, "not negative"),
        ({"images": 4}, "4 time steps are too few for transients"),
        ({"images": 5, "sources": 5000}, "5005 sources would overlap"),
    ],
)
def test_numbers_that_do_not_go_together_are_named(
    tmp_path: Path, numbers: Any, words: str
) -> None:
    with pytest.raises(UsageError, match=words):
        simulate(tmp_path / "sky", **numbers)

    assert not (tmp_path / "sky").exists()


def test_a_folder_with_something_in_it_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine").touch()

    with pytest.raises(UsageError, match="is not empty"):
        simulate(tmp_path, images=5)


def test_a_folder_that_can_not_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(StorageError, match="can't be written"):
        simulate(tmp_path / "file" / "sky", images=5)

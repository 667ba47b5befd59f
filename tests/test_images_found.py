from __future__ import annotations

from pathlib import Path

import pytest

from trap_hpc.errors import UsageError
from trap_hpc.pipeline.images import expand


@pytest.fixture
def night(tmp_path: Path) -> Path:
    """Make a folder with images, other files, a CASA table and a folder below."""
    folder = tmp_path / "night"
    for name in ("b.fits", "a.FITS", "c.fits.gz", "d.fts", "e.h5", "notes.txt"):
        folder.mkdir(exist_ok=True)
        (folder / name).touch()
    for name in ("f.image/table.dat", "deeper/g.fits"):
        (folder / name).parent.mkdir()
        (folder / name).touch()
    return folder


def names(paths: list[str]) -> list[str]:
    return [Path(path).name for path in paths]


def test_a_folder_stands_for_the_images_right_in_it(night: Path) -> None:
    found = expand([str(night)])

    expected = ["a.FITS", "b.fits", "c.fits.gz", "d.fts", "e.h5", "f.image"]
    assert names(found) == expected


def test_order_is_kept_and_repeated_paths_are_found_once(night: Path) -> None:
    arguments = [f"{night}/d.fts", f"{night}/../night/d.fts", f"{night}/[ab].*"]

    assert names(expand(arguments)) == ["d.fts", "a.FITS", "b.fits"]


def test_a_file_is_taken_whatever_its_name(night: Path) -> None:
    assert names(expand([f"{night}/notes.txt"])) == ["notes.txt"]


def test_paths_are_absolute(night: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(night)

    assert expand(["b.fits"]) == [f"{night}/b.fits"]


def test_a_list_is_read_relative_to_its_folder(night: Path) -> None:
    text = "# tonight\nb.fits\n\n  deeper  # a folder\nd.f*s\n"
    (night / "images.txt").write_text(text)

    assert names(expand([f"@{night}/images.txt"])) == ["b.fits", "g.fits", "d.fts"]


def test_a_name_with_brackets_is_no_glob_if_it_exists(night: Path) -> None:
    (night / "h[1].fits").touch()

    assert names(expand([f"{night}/h[1].fits"])) == ["h[1].fits"]


@pytest.mark.parametrize(
    ("argument", "words"),
    [
        ("gone.fits", "gone.fits: no such file or folder"),
        ("*.gone", "nothing matches"),
        ("empty", "no images right in this folder"),
        ("@gone.txt", "the list can't be read"),
        ("@night/b.fits", "no images are given"),
    ],
)
def test_what_is_not_there_is_named(
    night: Path, monkeypatch: pytest.MonkeyPatch, argument: str, words: str
) -> None:
    monkeypatch.chdir(night.parent)
    Path("empty").mkdir()

    with pytest.raises(UsageError, match=words):
        expand([argument])


def test_a_list_is_named_with_the_line_that_is_wrong(
    night: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(night.parent)
    Path("list.txt").write_text("night/b.fits\n\ngone.fits\n")
    with pytest.raises(UsageError, match=r"@list.txt, line 3: gone.fits: no such"):
        expand(["@list.txt"])


def test_lists_that_name_each_other_are_an_error(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("@b.txt\n")
    (tmp_path / "b.txt").write_text("@a.txt\n")
    with pytest.raises(UsageError, match="without end"):
        expand([f"@{tmp_path}/a.txt"])


def test_a_pattern_may_be_relative_to_a_folder_with_brackets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "field [1] $x 'a'"
    folder.mkdir()
    (folder / "a b.fits").touch()
    monkeypatch.chdir(folder)
    (folder / "list.txt").write_text("*.fits\n")
    assert names(expand(["*.fits"])) == ["a b.fits"]
    assert names(expand(["@list.txt"])) == ["a b.fits"]


def test_no_argument_is_an_error() -> None:
    with pytest.raises(UsageError, match="no images are given"):
        expand([])

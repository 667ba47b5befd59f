"""Images that others have made: what they are called and hold does nothing else."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import h5py
import numpy as np
import pytest
from astropy.io.votable import parse

import trap_hpc
from tests.command_line import CommandLine
from tests.samples import write_noise
from tests.strangers import given_away
from trap_hpc.catalogue.export import export
from trap_hpc.errors import ImageError
from trap_hpc.paths import RunPaths
from trap_hpc.pipeline.images import pack, read, scan
from trap_hpc.pipeline.measurements import save
from trap_hpc.pipeline.records import Refusal
from trap_hpc.plaintext import one_line, printable
from trap_hpc.run.log import STOPPED, RunLog
from trap_hpc.run.session.stopping import stop_asked

FORGED = "a\n2026-01-01T00:00:00.000+00:00 stopped: forged.fits"
NAMES = [
    "\x1b[31mred.fits",
    "\x1b]0;title\x07.fits",
    "\x9b31m.fits",
    "\u202egnp.fits",
    "[red]markup.fits",
    "=HYPERLINK(1).fits",
    "<script>&.fits",
    FORGED,
    os.fsdecode(b"\xff.fits"),
]


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]) -> CommandLine:
    return CommandLine(capsys)


@pytest.fixture(scope="module")
def nasty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one good image among others."""
    folder = tmp_path_factory.mktemp("nasty")
    write_noise(folder / "good.fits")
    for n, name in enumerate(NAMES):
        (folder / name).write_bytes(b"not an image \x1b[31m" + bytes([n]))
    return folder


@pytest.fixture(scope="module")
def run(nasty: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    from trap_hpc.run.launch import start
    from trap_hpc.run.plan import make_plan

    out = tmp_path_factory.mktemp("runs") / "run"
    start(make_plan([str(nasty)], out=out, engine="serial"))
    return out


def moves(text: str) -> list[str]:
    """Characters by which a terminal does more than show something."""
    return [c for c in text if not c.isprintable() and c not in "\n"]


def test_no_name_of_a_file_reaches_a_terminal_as_it_is(
    run: Path, nasty: Path, call: CommandLine
) -> None:
    for words in (
        *(("status", run), ("logs", run), ("resume", run), ("candidates", run)),
        ("export", run, "--out", run / "a.vot"),
        ("run", nasty, "--out", run / "again", "--dry-run"),
        ("pack", nasty / NAMES[0], "--out", run / "a.h5"),
        ("run", nasty / "\x1b[2Jnone.fits"),
    ):
        said = call(*words)
        assert not moves(said.out + said.err), words


def test_json_has_no_control_characters_and_the_names_as_they_are(
    run: Path, nasty: Path, call: CommandLine
) -> None:
    said = call("run", nasty, "--out", run / "again", "--dry-run", "--json")
    assert not moves(said.out)
    assert {Path(image).name for image in json.loads(said.out)["images"]} >= set(NAMES)


def test_the_run_s_log_has_no_line_that_a_file_s_name_made(run: Path) -> None:
    text = RunPaths(run).log.read_text()
    assert not moves(text)
    assert "forged" in text
    assert not [x for x in text.splitlines() if x.partition(" ")[2].startswith(STOPPED)]


def test_more_lines_of_one_text_are_set_back(tmp_path: Path) -> None:
    RunLog(tmp_path / "run.log")(f"refused: {FORGED}")
    first, second = (tmp_path / "run.log").read_text().splitlines()
    assert first.endswith("refused: a")
    assert second.startswith("    2026")


def test_a_bad_name_stops_no_other_image(run: Path) -> None:
    with trap_hpc.open_run(run) as catalogue:
        assert len(catalogue.images()) == 1
        refused = {Path(each).name for each in catalogue.refusals()["url"]}
    assert refused >= {r"\xff.fits", NAMES[0], FORGED}
    assert len(refused) == len(NAMES)


@pytest.mark.parametrize("form", ["votable", "csv", "hdf5"])
def test_every_export_holds_the_names(run: Path, tmp_path: Path, form: str) -> None:
    with trap_hpc.open_run(run) as catalogue:
        export(catalogue, form, tmp_path / "out")
        names = list(catalogue.refusals()["url"])
    if form == "votable":
        table = next(
            t for t in parse(str(tmp_path / "out")).iter_tables() if t.ID == "refusals"
        )
        assert list(table.array["url"]) == names
    elif form == "hdf5":
        with h5py.File(str(tmp_path / "out")) as file:
            assert [each.decode() for each in file["refusals/url"]] == names


def test_what_a_terminal_is_told_by_is_taken_out() -> None:
    assert printable("a\x1b[1;31mb\x1b[0m\tc\nd") == "ab\tc\nd"
    assert printable("\x07\x9b\u202e\ud800") == 4 * "\ufffd"
    assert printable("é 漢 [red]") == "é 漢 [red]"
    assert one_line("a\nb\rc") == "a\ufffdb\ufffdc"


def test_who_asks_to_stop_is_told_in_a_short_line(tmp_path: Path) -> None:
    paths = RunPaths(tmp_path)
    paths.stop_request.write_text("me\x1b[2J\nstopped: " + 10_000 * "x")
    told = stop_asked(paths)
    assert told.startswith("me\ufffdstopped")
    assert len(told) < 250


# files that name other files --------------------------------------------------------


def test_a_pack_whose_pixels_are_in_another_file_is_refused(tmp_path: Path) -> None:
    """By its name a reader's own files would come into the reader's results."""
    write_noise(tmp_path / "a.fits")
    pack([str(tmp_path / "a.fits")], tmp_path / "a.h5")
    with h5py.File(str(tmp_path / "a.h5"), "r+") as file:
        (name,) = file["pixels"]
        pixels = file["pixels"][name][()]
        pixels.tofile(tmp_path / "private")
        del file["pixels"][name]
        file["pixels"].create_dataset(
            name,
            pixels.shape,
            pixels.dtype,
            external=[(str(tmp_path / "private"), 0, pixels.nbytes)],
        )
    with pytest.raises(ImageError, match="in other files"):
        read(f"{tmp_path / 'a.h5'}#0")


LIBRARY = """
#include <stdio.h>
__attribute__((constructor)) static void begin(void) { fclose(fopen(TRACE, "w")); }
"""


def built(folder: Path, trace: Path) -> None:
    """Build a library that leaves a trace when it is loaded."""
    compiler = shutil.which("gcc") or pytest.skip("there is no compiler")
    folder.mkdir()
    (folder / "a.c").write_text(LIBRARY)
    argv = [compiler, "-shared", "-fPIC", f'-DTRACE="{trace}"', "a.c", "-o"]
    subprocess.run([*argv, "evilmanager.so"], cwd=folder, check=True)


def test_a_casa_table_loads_no_library_from_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder of many, where somebody has put both the image and the library."""
    tables = pytest.importorskip("casacore.tables")
    column = tables.makearrcoldesc("map", 0.0, ndim=2)
    image = tmp_path / "a.image"
    with tables.table(str(image), tables.maketabdesc([column]), 1, ack=False) as made:
        made.putcell("map", 0, np.ones((4, 4)))
    head = image / "table.dat"
    head.write_bytes(head.read_bytes().replace(b"StandardStMan", b"x/evilmanager"))
    built(tmp_path / "libcasa_x", tmp_path / "loaded")
    monkeypatch.chdir(tmp_path)

    (refusal,) = scan(str(image))

    assert "evilmanager" in getattr(refusal, "reason", "")
    assert not (tmp_path / "loaded").exists()
    assert Path.cwd() == tmp_path
    with pytest.raises(RuntimeError):
        tables.table(str(image), ack=False)
    assert (tmp_path / "loaded").exists()  # so it is to be feared


def test_images_may_belong_to_others(tmp_path: Path) -> None:
    given_away(write_noise(tmp_path / "a.fits"))
    assert read(str(tmp_path / "a.fits")).pixels.size


@pytest.mark.parametrize("name", ["memory", "core", "file"])
def test_no_file_of_the_current_folder_is_read_for_a_file_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """It would be taken into memory, however large somebody has made it."""
    monkeypatch.chdir(tmp_path)
    with Path(name).open("wb") as planted:
        planted.truncate(2**40)  # on no machine is there so much
    save(tmp_path / "a.h5", [Refusal(address="a", kind="left out", reason="test")])
    assert (tmp_path / "a.h5").stat().st_size < 2**20

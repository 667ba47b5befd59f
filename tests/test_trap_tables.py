"""Reading TraP's own tables: what is there, and what is said of what is not."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from trap_hpc.catalogue.trap_tables import read_trap_tables
from trap_hpc.errors import UsageError

GOLDEN = Path(__file__).parent / "data" / "golden"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of a small set of tables, to be spoilt."""
    return Path(shutil.copytree(GOLDEN / "real", tmp_path / "tables"))


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_images_are_in_the_order_of_time_with_their_extractions() -> None:
    tables = read_trap_tables(GOLDEN / "split")
    times = [image.image.header.taustart_us for image in tables.images]
    assert times == sorted(times)
    assert [image.id for image in tables.images] == list(range(1, 33))
    first = tables.images[0]
    assert first.blind_ids.tolist() == list(range(1, 23))
    assert len(first.image.blind) == 22
    assert first.answers.kind.tolist() == [2, 2]


def test_numbers_are_read_to_the_last_bit() -> None:
    first = read_trap_tables(GOLDEN / "split").images[0].image
    assert first.blind["ra"][0] == 1.425657448444781
    assert first.rms_qc == 0.013057865801357446
    assert first.header.rb_smaj_deg == 0.04166666666666662
    assert first.header.centre_ra_deg == 359.8


def test_times_are_read_to_the_microsecond() -> None:
    first = read_trap_tables(GOLDEN / "real").images[0].image
    whole_s = 1324010107
    assert first.header.taustart_us == whole_s * 1_000_000 + 614_867


def test_parameters_are_those_that_trap_recorded() -> None:
    parameters = read_trap_tables(GOLDEN / "crowded").parameters
    assert parameters is not None
    assert parameters.quality.oversampled_x == 60
    assert parameters.source_extraction.ew_sys_err == 15
    assert parameters.source_extraction.force_beam is False


def test_monitored_positions_are_read() -> None:
    assert read_trap_tables(GOLDEN / "split").monitor == ((359.8, 48.2), (359.4, 48.5))


def test_noise_that_trap_never_wrote_is_not_a_number(folder: Path) -> None:
    images = read_trap_tables(folder).images
    assert any(np.isnan(image.image.rms_min) for image in images)


@pytest.mark.parametrize("name", ["image", "extractedsource", "skyregion"])
def test_a_table_that_is_missing_is_named(folder: Path, name: str) -> None:
    (folder / f"{name}.csv").unlink()
    with pytest.raises(UsageError, match=f"{name}.csv is missing"):
        read_trap_tables(folder)


def test_tables_that_can_be_missed_are(folder: Path) -> None:
    for name in ("monitor", "config", "rejection", "frequencyband"):
        (folder / f"{name}.csv").unlink()
    tables = read_trap_tables(folder)
    assert tables.parameters is None
    assert tables.monitor == ()
    assert not tables.knows_rejections


def test_a_column_that_is_missing_is_named(folder: Path) -> None:
    edit(folder / "image.csv", "rms_qc", "noise")
    with pytest.raises(UsageError, match=r"image.csv has no column rms_qc; it has id"):
        read_trap_tables(folder)


def test_a_value_that_is_no_number_is_shown(folder: Path) -> None:
    path = folder / "skyregion.csv"
    lines = path.read_text().splitlines()
    lines[1] = lines[1].replace(lines[1].split(",")[2], "north")
    path.write_text("\n".join(lines))
    with pytest.raises(UsageError, match=r"column centre_ra: .*north"):
        read_trap_tables(folder)


def test_a_source_without_a_position_is_named(folder: Path) -> None:
    path = folder / "extractedsource.csv"
    head, source = path.read_text().splitlines()
    values = source.split(",")
    values[head.split(",").index("ra")] = ""
    path.write_text("\n".join([head, ",".join(values)]))
    with pytest.raises(UsageError, match="column ra: row 2 has no number"):
        read_trap_tables(folder)


def test_a_time_that_is_none_is_shown(folder: Path) -> None:
    edit(folder / "image.csv", "2011-12-16 04:35:07.614867", "yesterday")
    with pytest.raises(UsageError, match=r"column taustart_ts: .*yesterday"):
        read_trap_tables(folder)


def test_a_line_of_another_length_is_named(folder: Path) -> None:
    path = folder / "image.csv"
    path.write_text(path.read_text() + "1,2,3\n")
    with pytest.raises(UsageError, match="row 7 has 3 values for 25 columns"):
        read_trap_tables(folder)


def test_an_empty_file_is_no_table(folder: Path) -> None:
    (folder / "image.csv").write_text("")
    with pytest.raises(UsageError, match="image.csv"):
        read_trap_tables(folder)


def test_a_file_that_is_not_text_is_no_table(folder: Path) -> None:
    (folder / "image.csv").write_bytes(b"\x89HDF\r\n\xff\xfe")
    with pytest.raises(UsageError, match="can't read .*image.csv"):
        read_trap_tables(folder)


def test_an_unknown_sky_region_is_named(folder: Path) -> None:
    path = folder / "skyregion.csv"
    path.write_text(path.read_text().splitlines()[0] + "\n")
    with pytest.raises(UsageError, match="names sky region 1"):
        read_trap_tables(folder)


def test_several_data_sets_are_refused(folder: Path) -> None:
    path = folder / "image.csv"
    head, first, *rest = path.read_text().splitlines()
    id_, _, *others = first.split(",")
    path.write_text("\n".join([head, ",".join([id_, "7", *others]), *rest]))
    with pytest.raises(UsageError, match="holds data sets 1, 7"):
        read_trap_tables(folder)

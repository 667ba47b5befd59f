from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.catalogues import (
    REFUSALS,
    ask,
    dump,
    final_tables,
    made_run,
    new_catalogue,
    steps,
)
from trap_hpc.catalogue import finish
from trap_hpc.catalogue.store import Catalogue
from trap_hpc.config.parameters import JobParameters
from trap_hpc.errors import CatalogueError, StorageError


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made_run(tmp_path_factory.mktemp("run"))


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

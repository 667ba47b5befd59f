"""A PostgreSQL that is restarted, or gone: nothing of a run is lost or doubled."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.catalogues import final_tables, made_run, new_catalogue, steps
from tests.postgresql import Server, postgresql
from tests.restarting import beside
from tests.runs import SETTINGS, assert_same
from tests.stand_ins import Time
from tests.waiting import wait_until
from trap_hpc.catalogue import away
from trap_hpc.catalogue.away import AWAY_S, BREAKS, once_it_answers
from trap_hpc.catalogue.compare import compare
from trap_hpc.catalogue.database import plain_errors, postgresql_engine
from trap_hpc.catalogue.store import Catalogue
from trap_hpc.errors import CatalogueError
from trap_hpc.paths import RunPaths
from trap_hpc.run.launch import resume, start
from trap_hpc.run.overview import overview
from trap_hpc.run.plan import make_plan
from trap_hpc.run.progress import Progress

__all__ = ["postgresql"]


@pytest.fixture
def server(postgresql: Server) -> Iterator[Server]:
    """One that runs in the end, whatever a test did to it."""
    yield postgresql
    try:
        psycopg.connect(postgresql.url()).close()
    except psycopg.OperationalError:
        postgresql.start()


@pytest.fixture
def database(server: Server, request: pytest.FixtureRequest) -> str:
    return server.make(f"db{abs(hash(request.node.name)) % 10**9}")


COPYING = (
    "SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock' "
    "AND query LIKE 'COPY varmetric%'"
)


def finished(folder: Path, database: str, run_id: str = "trap-made") -> Catalogue:
    """A catalogue that only has to be published."""
    catalogue = new_catalogue(folder, run_id=run_id, publish_to=database)
    for step in steps():
        catalogue.add_step(step)
    catalogue.finish(final_tables())
    return catalogue


def data_sets(database: str) -> list[int]:
    with psycopg.connect(database) as connection:
        found = connection.execute("SELECT id FROM dataset ORDER BY id").fetchall()
        return [number for (number,) in found]


@pytest.mark.parametrize("mode", ["fast", "immediate"])
def test_a_database_that_is_restarted_is_waited_for(
    server: Server, database: str, tmp_path: Path, mode: str
) -> None:
    said: list[str] = []

    def come_back() -> None:
        wait_until(lambda: said, "the user is told")
        server.start()

    with finished(tmp_path, database) as catalogue:
        server.stop(mode)
        with beside(come_back):
            catalogue.publish(said.append)
    (sentence,) = said
    assert "is away" in sentence
    assert "waits up to 60 s" in sentence
    assert data_sets(database) == [1]
    assert compare(tmp_path, database).same


@pytest.mark.parametrize("how", ["server dies", "connection is ended"])
def test_a_connection_lost_amid_the_copying_doubles_nothing(
    server: Server, database: str, tmp_path: Path, how: str
) -> None:
    made_run(tmp_path / "first", run_id="trap-first", publish_to=database)
    said: list[str] = []

    def copying() -> list[tuple[int]]:
        other.execute("SELECT pg_stat_clear_snapshot()")
        return other.execute(COPYING).fetchall()

    def break_off() -> None:
        try:
            wait_until(copying, "it copies", 20)
            if how == "server dies":
                server.stop("immediate")
                server.start()
            else:
                ((pid,),) = copying()
                other.execute("SELECT pg_terminate_backend(%s)", (pid,))
                wait_until(lambda: said, "the user is told")
        finally:
            other.close()

    with (
        finished(tmp_path / "second", database, "trap-second") as catalogue,
        psycopg.connect(database) as other,
    ):
        other.execute("LOCK TABLE varmetric IN SHARE MODE")
        with beside(break_off):
            catalogue.publish(said.append)
    assert len(said) == 1
    first, second = data_sets(database)  # numbers that were drawn are not used again
    with psycopg.connect(database) as connection:
        counted = connection.execute("SELECT COUNT(*) FROM extractedsource").fetchall()
    assert counted == [(26,)]
    for dataset, run in ((first, "first"), (second, "second")):
        assert compare(tmp_path / run, f"{database}#{dataset}").first is None


def asked(url: str) -> None:
    with plain_errors(url), postgresql_engine(url).connect():
        pass


def test_a_database_that_stays_away_is_an_error(tmp_path: Path) -> None:
    url, time, said = f"postgresql://me@/trap?host={tmp_path}", Time(), list[str]()
    began_s = time()
    with pytest.raises(CatalogueError, match="can't be used"):
        once_it_answers(
            lambda: asked(url), url, say=said.append, clock=time, sleep=time.sleep
        )
    assert AWAY_S <= time() - began_s < AWAY_S + 10
    assert len(said) == 1


def test_a_database_that_breaks_off_each_time_is_an_error(tmp_path: Path) -> None:
    url, time, tries = f"postgresql://me@/trap?host={tmp_path}", Time(), list[str]()

    def copy() -> None:
        tries.append("")
        time.sleep(1000)
        asked(url)

    with pytest.raises(CatalogueError):
        once_it_answers(copy, url, say=lambda _: None, clock=time, sleep=time.sleep)
    assert len(tries) == BREAKS


def test_what_waiting_does_not_change_is_said_at_once(server: Server) -> None:
    url = server.url("unheard_of")
    said: list[str] = []
    with pytest.raises(CatalogueError, match="does not exist"):
        once_it_answers(lambda: asked(url), url, say=said.append)
    assert said == []


def test_a_run_whose_database_stays_away_is_published_by_resume(
    server: Server,
    database: str,
    night: list[str],
    reference: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(away, "AWAY_S", 1.0)
    out = tmp_path / "run"
    plan = make_plan(
        night, out=out, overrides=SETTINGS, engine="serial", database=database
    )

    def watch(progress: Progress) -> None:
        if progress.phase == "finishing":
            server.stop()

    with pytest.raises(CatalogueError, match="can't be used"):
        start(plan, watch)
    assert_same(reference, out)
    assert overview(out).stopped
    server.start()
    files = {
        path: path.stat().st_mtime for path in RunPaths(out).measurements.iterdir()
    }
    resume(str(out))
    assert data_sets(database) == [1]
    assert compare(reference, database).same
    assert files == {path: path.stat().st_mtime for path in files}
    resume(str(out))
    assert data_sets(database) == [1]

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import psycopg
import pytest

import trap_hpc
from tests.catalogues import CURVES, final_tables, made_run, new_catalogue, steps
from tests.postgresql import Server, postgresql
from trap_hpc.catalogue.compare import compare
from trap_hpc.catalogue.store import Catalogue
from trap_hpc.config.parameters import JobParameters
from trap_hpc.errors import CatalogueError, UsageError

__all__ = ["postgresql"]

LIGHT_CURVE_QUERY = """
SELECT im.taustart_ts, im.tau_time, ex.f_int, ex.f_int_err, ex.id, im.band, im.stokes,
       bd.freq_central
  FROM extractedsource ex, assocxtrsource ax, image im, frequencyband bd
 WHERE ax.runcat IN (SELECT runcat FROM assocxtrsource WHERE xtrsrc = %(xtrsrc)s)
   AND ax.xtrsrc = ex.id AND ex.image = im.id AND bd.id = im.band
 ORDER BY im.taustart_ts
"""


@pytest.fixture
def database(postgresql: Server, request: pytest.FixtureRequest) -> str:
    """The URL of an empty database."""
    return postgresql.make(f"db{abs(hash(request.node.name)) % 10**9}")


def ask(url: str, query: str, **values: object) -> list[tuple[object, ...]]:
    with psycopg.connect(url) as connection:
        return connection.execute(query.encode(), values).fetchall()


def test_runs_share_a_database_as_data_sets(database: str, tmp_path: Path) -> None:
    runs = [
        made_run(tmp_path / name, run_id=f"trap-{name}", publish_to=database)
        for name in ("a", "b")
    ]
    assert ask(database, "SELECT id FROM dataset ORDER BY id") == [(1,), (2,)]
    assert ask(database, "SELECT COUNT(*) FROM extractedsource") == [(26,)]
    for dataset in (1, 2):
        found = compare(runs[0], f"{database}#{dataset}")
        assert found.first is None


def test_a_published_run_reads_like_the_file(database: str, tmp_path: Path) -> None:
    run = made_run(tmp_path / "a", publish_to=database)
    made_run(tmp_path / "b", run_id="trap-b", publish_to=database)
    with trap_hpc.open_run(run) as here, trap_hpc.open_run(f"{database}#1") as there:
        for table in ("candidates", "sources", "light_curves", "images", "refusals"):
            ours, theirs = getattr(here, table)(), getattr(there, table)()
            assert ours.colnames == theirs.colnames
            assert str(list(ours.iterrows())) == str(list(theirs.iterrows()))


def test_the_light_curve_query_of_trap_users_works(
    database: str, tmp_path: Path
) -> None:
    made_run(tmp_path, publish_to=database)
    found = ask(database, LIGHT_CURVE_QUERY, xtrsrc=8)
    assert [row[4] for row in found] == [xtrsrc for xtrsrc, _ in CURVES[5]]


def test_the_same_run_twice_is_one_data_set(database: str, tmp_path: Path) -> None:
    made_run(tmp_path, publish_to=database)
    path = tmp_path / "catalogue.sqlite"
    with Catalogue.open(path, publish_to=database) as catalogue:
        catalogue.finish(final_tables())
        catalogue.publish()
    assert ask(database, "SELECT COUNT(*) FROM dataset") == [(1,)]


def test_a_run_done_again_replaces_what_it_published(
    database: str, tmp_path: Path
) -> None:
    made_run(tmp_path, publish_to=database)
    shutil.rmtree(tmp_path)
    made_run(tmp_path, publish_to=database)
    assert ask(database, "SELECT id FROM dataset") == [(2,)]
    assert ask(database, "SELECT COUNT(*) FROM extractedsource") == [(13,)]
    assert compare(tmp_path, database).same


def test_ids_drawn_afterwards_are_free(database: str, tmp_path: Path) -> None:
    made_run(tmp_path, publish_to=database)
    insert = "INSERT INTO frequencyband (dataset) VALUES (1) RETURNING id"
    assert ask(database, insert) == [(2,)]


def test_a_database_of_another_revision_is_refused(
    database: str, tmp_path: Path
) -> None:
    made_run(tmp_path / "a", publish_to=database)
    ask(database, "UPDATE version SET value = 39 RETURNING value")
    with pytest.raises(CatalogueError, match="revision 39, this is written for 40"):
        new_catalogue(tmp_path / "b", publish_to=database)
    assert not (tmp_path / "b" / "catalogue.sqlite").exists()


def test_a_database_of_something_else_is_refused(database: str, tmp_path: Path) -> None:
    with psycopg.connect(database) as connection:
        connection.execute("CREATE TABLE image (pixels int)")
    with pytest.raises(CatalogueError, match="no catalogue of TraP's"):
        new_catalogue(tmp_path, publish_to=database)


def test_a_database_that_goes_away_loses_nothing(
    postgresql: Server, tmp_path: Path
) -> None:
    gone = postgresql.make("goes_away")
    with new_catalogue(tmp_path, publish_to=gone) as catalogue:
        for step in steps():
            catalogue.add_step(step)
        postgresql.run(
            "dropdb", "-h", str(postgresql.folder), "-U", "tester", "goes_away"
        )
        catalogue.finish(final_tables())
        with pytest.raises(CatalogueError, match="goes_away"):
            catalogue.publish()
        assert catalogue.finished
    back = postgresql.make("goes_away")
    with Catalogue.open(tmp_path / "catalogue.sqlite", publish_to=back) as catalogue:
        catalogue.publish()
    assert compare(tmp_path, back).same


def test_an_unknown_data_set_is_said(database: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="holds no catalogue"):
        trap_hpc.open_run(database)
    made_run(tmp_path, publish_to=database)
    with pytest.raises(UsageError, match="no data set 7; known: 1"):
        trap_hpc.open_run(f"{database}#7")


def test_an_unreachable_database_is_said_without_its_password(tmp_path: Path) -> None:
    url = f"postgresql://me:secret@/trap?host={tmp_path}"
    with pytest.raises(CatalogueError, match="can't be used") as caught:
        new_catalogue(tmp_path, publish_to=url)
    assert "secret" not in str(caught.value)
    assert not (tmp_path / "catalogue.sqlite").exists()


def test_a_missing_driver_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(CatalogueError, match=r"pip install 'trap-hpc\[postgresql\]'"):
        new_catalogue(tmp_path, publish_to="postgresql://host/db")


def test_an_address_that_is_none_is_said(tmp_path: Path) -> None:
    with pytest.raises(CatalogueError, match="no database address"):
        Catalogue.create(
            tmp_path / "catalogue.sqlite",
            parameters=JobParameters(),
            run_id="trap-made",
            publish_to="postgresql://host:port/db",
        )

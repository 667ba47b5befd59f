"""Where a run is worked on: what the command line, the site and the run itself say."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.samples import write_noise
from trap_hpc.cli.options import place_of
from trap_hpc.config.environment import cores
from trap_hpc.errors import UsageError
from trap_hpc.paths import RunPaths
from trap_hpc.run.place import Place
from trap_hpc.run.plan import Plan, make_plan
from trap_hpc.run.planfile import read_plan, write_site
from trap_hpc.run.prepare import prepare

PROFILE = """
scheduler = "slurm"
queue = "short"
cores = 4
workers = 12
"""


@pytest.fixture
def image(tmp_path: Path) -> str:
    return str(write_noise(tmp_path / "a.fits"))


@pytest.fixture
def profile(tmp_path: Path) -> str:
    (tmp_path / "mine.toml").write_text(PROFILE)
    return str(tmp_path / "mine.toml")


def planned(image: str, tmp_path: Path, place: Place) -> Plan:
    return make_plan([image], out=tmp_path / "run", place=place)


def origin(plan: Plan, key: str) -> str:
    assert plan.site is not None
    return dict(plan.site.origins)[key]


def test_without_a_word_it_is_this_machine(image: str, tmp_path: Path) -> None:
    plan = planned(image, tmp_path, Place())
    assert (plan.engine, plan.site, plan.workers) == ("processes", None, cores())


def test_a_site_brings_its_engine_and_its_workers(
    image: str, tmp_path: Path, profile: str
) -> None:
    plan = planned(image, tmp_path, Place(site=profile))
    assert plan.site is not None
    assert (plan.engine, plan.site.site.name, plan.workers) == ("celery", "mine", 12)
    assert origin(plan, "queue") == f"{profile}, line 3"


def test_the_engine_brings_the_site_that_is_here(image: str, tmp_path: Path) -> None:
    plan = planned(image, tmp_path, Place(engine="celery"))
    assert plan.site is not None
    assert (plan.site.site.name, plan.workers) == ("local", cores())
    assert origin(plan, "name") == "--engine celery"


def test_a_site_from_the_environment_is_taken_unless_an_engine_is_named(
    image: str, tmp_path: Path, profile: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRAP_HPC_SITE", profile)
    assert origin(planned(image, tmp_path, Place()), "name") == "TRAP_HPC_SITE"
    assert planned(image, tmp_path, Place(engine="processes")).site is None


def test_options_win_over_the_profile_and_say_so(
    image: str, tmp_path: Path, profile: str
) -> None:
    words = {"queue": "long", "account": "me", "walltime": "2:00:00", "memory": "8GB"}
    place = place_of(
        engine=None,
        workers=6,
        site=profile,
        settings=("poll_s=5", "queue=never"),
        broker_password_file=None,
        in_allocation=False,
        cores=2,
        broker=None,
        **words,
    )
    plan = planned(image, tmp_path, place)
    assert plan.site is not None
    site = plan.site.site
    assert (site.queue, site.account, site.walltime) == ("long", "me", "02:00:00")
    assert (site.cores, site.memory, site.poll_s) == (2, "8GB", 5)
    assert plan.workers == 6
    assert origin(plan, "queue") == "command line"


def test_in_an_allocation_workers_are_as_many_as_its_cores(
    image: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("ID", "7"), ("NUM_NODES", "3"), ("CPUS_PER_NODE", "4(x3)")):
        monkeypatch.setenv(f"SLURM_JOB_{name}", value)
    plan = planned(image, tmp_path, Place(in_allocation=True))
    assert plan.site is not None
    assert plan.profile is not None
    assert (plan.site.site.scheduler, plan.workers) == ("srun", 12)
    assert plan.profile.site.scheduler == "slurm"
    assert origin(plan, "scheduler") == "--in-allocation"


@pytest.mark.parametrize(
    ("place", "words"),
    [
        (Place(engine="dask"), "there is no engine 'dask'"),
        (Place(site="nowhere"), "there is no site 'nowhere'"),
        (Place(engine="serial", site="local"), "leave out --site"),
        (Place(engine="processes", in_allocation=True), "leave out --site"),
        (Place(settings=("queue=long", "cores=2")), "queue, cores: that is said of a"),
        (Place(site="local", settings=("quene=long",)), "did you mean queue"),
        (Place(settings=("broker=amqp://me:word@host/",)), "amqp://me:***@host"),
        (Place(workers=0), "at least 1 is needed"),
        (Place(site="local", workers=0), "at least 1 is needed"),
    ],
    ids=str,
)
def test_what_makes_no_sense_is_refused(
    image: str, tmp_path: Path, place: Place, words: str
) -> None:
    with pytest.raises(UsageError) as caught:
        planned(image, tmp_path, place)
    assert words in str(caught.value)
    assert "word@" not in str(caught.value)


def test_a_broker_of_one_s_own_serves_workers_here(image: str, tmp_path: Path) -> None:
    settings = ("broker=amqps://me@host/",)
    place = Place(settings=settings, broker_password_file=Path("secret"))
    plan = planned(image, tmp_path, place)
    assert plan.site is not None
    assert plan.site.site.name == "local"
    assert plan.site.site.broker == "amqps://me@host/"


def test_the_run_directory_of_a_site_is_known_from_everywhere(
    image: str, tmp_path: Path, profile: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    plan = make_plan([image], out=Path("run"), place=Place(site=profile))
    assert plan.directory == tmp_path / "run"
    assert make_plan([image], out=Path("run")).directory == Path("run")


# going on with it ------------------------------------------------------------------


@pytest.fixture
def at_site(image: str, tmp_path: Path, profile: str) -> Path:
    """A run that was begun at a site."""
    place = Place(
        site=profile,
        settings=("queue=long", "broker=amqps://me@host/"),
        workers=8,
        broker_password_file=tmp_path / "secret",
    )
    prepare(planned(image, tmp_path, place))
    return tmp_path / "run"


@pytest.fixture
def here(image: str, tmp_path: Path) -> Path:
    """A run that was begun on this machine."""
    prepare(planned(image, tmp_path, Place(engine="serial")))
    return tmp_path / "run"


def test_a_run_goes_on_where_it_was_begun(at_site: Path, profile: str) -> None:
    Path(profile).unlink()
    plan = read_plan(at_site)
    assert plan.site is not None
    assert (plan.engine, plan.workers, plan.site.site.queue) == ("celery", 8, "long")
    assert plan.broker_password_file == at_site.parent / "secret"
    assert origin(plan, "cores") == f"{profile}, line 4"
    assert origin(plan, "queue") == "command line"


def test_a_run_goes_on_with_other_values_and_keeps_them(at_site: Path) -> None:
    plan = read_plan(at_site, Place(settings=("queue=night",), workers=4))
    assert plan.site is not None
    assert (plan.workers, plan.site.site.queue, plan.site.site.cores) == (4, "night", 4)
    write_site(plan)
    again = read_plan(at_site).site
    assert again is not None
    assert again.site.queue == "night"


def test_a_run_of_a_site_goes_on_here(at_site: Path) -> None:
    plan = read_plan(at_site, Place(engine="processes"))
    assert (plan.site, plan.workers, plan.broker_password_file) == (None, cores(), None)


def test_a_run_goes_on_at_another_site(at_site: Path) -> None:
    plan = read_plan(at_site, Place(site="local", settings=("cores=3",)))
    assert plan.site is not None
    assert (plan.site.site.name, plan.site.site.queue) == ("local", "")


def test_a_run_that_was_begun_here_goes_on_at_a_site(here: Path, profile: str) -> None:
    plan = read_plan(here, Place(site=profile))
    assert (plan.engine, plan.workers) == ("celery", 12)
    assert read_plan(here).engine == "serial"


def test_a_run_that_was_begun_here_takes_no_site_from_the_environment(
    here: Path, profile: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRAP_HPC_SITE", profile)
    assert read_plan(here).site is None


def test_what_an_allocation_is_does_not_stay_with_the_run(
    at_site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLURM_JOB_ID", "7")
    plan = read_plan(at_site, Place(in_allocation=True))
    assert plan.site is not None
    assert plan.site.site.scheduler == "srun"
    write_site(plan)
    assert 'scheduler = "slurm"' in RunPaths(at_site).site.read_text()

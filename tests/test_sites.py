"""Site profiles: where values come from, and what is refused."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as trials
from hypothesis import strategies as st

from tests.sites import Settings
from tests.sites import settings as settings
from trap_hpc.config.forms import memory_bytes, walltime_s
from trap_hpc.config.judging import CHOICES, DEFAULTS, LIMITS
from trap_hpc.config.site import Site
from trap_hpc.config.sites import (
    SourcedSite,
    check_site_file,
    default_site,
    dump_site,
    known_sites,
    load_site,
    load_site_file,
)
from trap_hpc.errors import UsageError

pytestmark = pytest.mark.usefixtures("settings")


def origin(sourced: SourcedSite, key: str) -> str:
    return dict(sourced.origins)[key]


def refusal(*overrides: str, name: str = "slurm") -> str:
    with pytest.raises(UsageError) as caught:
        load_site(name, overrides)
    return str(caught.value)


# Packaged profiles -----------------------------------------------------------------


def test_local_is_the_default_of_everything() -> None:
    site = load_site("local").site
    assert dataclasses.replace(site, description="") == Site()


def test_packaged_profiles_are_good() -> None:
    known = {site.name: site for site in known_sites()}
    assert {"local", "slurm"} < known.keys()
    assert not [site.fault for site in known.values() if site.fault]
    assert "job_params" not in known


@pytest.mark.parametrize("name", [s.name for s in known_sites() if s.packaged])
def test_a_real_site_says_where_its_facts_come_from(name: str) -> None:
    site = load_site(name).site
    assert site.description
    if name not in ("local", "slurm"):
        assert site.source.startswith("https://")
        assert site.scheduler == "slurm"
        assert not site.tried
        assert not site.account


def test_there_are_profiles_of_eight_real_sites() -> None:
    assert len([s for s in known_sites() if s.packaged]) >= 2 + 8


# Precedence ------------------------------------------------------------------------


def test_each_place_wins_over_the_one_before(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    system = settings.write(settings.system, "slurm", 'queue = "a"\ncores = 1\n')
    assert origin(load_site("slurm"), "queue") == f"{system}, line 1"
    user = settings.write(settings.user, "slurm", '# mine\nqueue = "b"\n')
    assert origin(load_site("slurm"), "queue") == f"{user}, line 2"
    settings.write(settings.project, "trap_hpc", '[site]\nqueue = "c"\n')
    assert origin(load_site("slurm"), "queue") == "./trap_hpc.toml, line 2"
    monkeypatch.setenv("TRAP_HPC_QUEUE", "d")
    assert origin(load_site("slurm"), "queue") == "TRAP_HPC_QUEUE"
    sourced = load_site("slurm", ["queue=e"])
    assert (sourced.site.queue, origin(sourced, "queue")) == ("e", "command line")
    assert (sourced.site.cores, origin(sourced, "cores")) == (1, f"{system}, line 2")
    assert origin(sourced, "scheduler").startswith("packaged slurm.toml, line ")
    assert origin(sourced, "account") == "default"


def test_the_first_system_folder_wins(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    settings.write(tmp_path / "first" / "trap_hpc", "slurm", 'queue = "first"')
    settings.write(settings.system, "slurm", 'queue = "second"')
    places = f"{tmp_path / 'first'}:{tmp_path / 'etc'}:relative"
    monkeypatch.setenv("XDG_CONFIG_DIRS", places)
    assert load_site("slurm").site.queue == "first"


def test_a_site_of_the_users_own_is_found_by_its_name(settings: Settings) -> None:
    settings.write(settings.user, "mine", 'scheduler = "slurm"\naccount = "x"\n')
    assert load_site("mine").site.name == "mine"
    (known,) = [site for site in known_sites() if site.name == "mine"]
    assert (known.scheduler, known.packaged) == ("slurm", False)


def test_a_file_is_a_site_by_its_path(settings: Settings) -> None:
    settings.write(settings.project, "here", 'scheduler = "slurm"')
    assert load_site("./here.toml").site.scheduler == "slurm"
    assert load_site("here.toml").site.name == "here"
    with pytest.raises(UsageError, match=r"can't read .*nowhere\.toml: No such file"):
        load_site("./nowhere.toml")


def test_a_project_may_name_its_site(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert default_site() is None
    text = '[site]\nname = "slurm"\naccount = "radio"\n'
    settings.write(settings.project, "trap_hpc", text)
    assert default_site() == ("slurm", "./trap_hpc.toml, line 2")
    assert load_site("slurm").site.account == "radio"
    assert load_site("local").site.account == "", "that is another site's"
    monkeypatch.setenv("TRAP_HPC_SITE", "local")
    assert default_site() == ("local", "TRAP_HPC_SITE")


def test_a_project_file_holds_the_site_alone(settings: Settings) -> None:
    settings.write(settings.project, "trap_hpc", "[quality]\nelliptical_x = 3\n")
    assert "[quality]: this file has the section [site] alone" in refusal()
    settings.write(settings.project, "trap_hpc", 'site = "slurm"\n')
    assert "line 1: site: this file has the section [site] alone" in refusal()


def test_variables_that_are_no_values_are_left_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("SITE", "BROKER_PASSWORD", "RUN", "JOB"):
        monkeypatch.setenv(f"TRAP_HPC_{name}", "x")
    assert load_site("slurm").site.scheduler == "slurm"


# Values ----------------------------------------------------------------------------


def test_keys_may_be_written_as_dask_jobqueue_writes_them(settings: Settings) -> None:
    settings.write(
        settings.user,
        "mine",
        'job-script-prologue = "module load a\\nmodule load b"\n'
        'interface = "ib0, 10.0.0.0/8"\njob_directives_skip = ["--mem", "-t"]\n'
        'job-extra-directives = "#SBATCH --qos=a,b"\n',
    )
    site = load_site("mine").site
    assert site.job_script_prologue == ("module load a", "module load b")
    assert site.interface == ("ib0", "10.0.0.0/8")
    assert site.job_directives_skip == ("--mem", "-t")
    assert site.job_extra_directives == ("--qos=a,b",)


def test_words_on_the_command_line_become_what_their_key_is() -> None:
    site = load_site("slurm", ["cores=8", "poll-s=2.5", "account=0042", "tls=off"]).site
    assert (site.cores, site.poll_s, site.account, site.tls) == (8, 2.5, "0042", "off")


@pytest.mark.parametrize(
    ("word", "sentence"),
    [
        ("qeue=x", "a site profile has no key 'qeue'; did you mean queue?"),
        ("zzz=x", "a site profile has no key 'zzz'; there are description, source"),
        ("name=x", "a profile goes by the name of its file"),
        ("queue", "queue: write it as key=value, for example queue=short"),
        ("cores=-1", "cores = -1: it must be at least 0"),
        ("cores=many", "cores = 'many': it must be a whole number"),
        ("poll_s=0", "poll_s = 0.0: it must be above 0"),
        ("poll_s=nan", "poll_s = nan: it must be above 0"),
        ("scheduler=pbs", "it must be local or slurm or srun"),
        ("launcher=moon", "it must be login or job"),
        ("tls=maybe", "it must be auto or required or off"),
        ("walltime=90", "it must be a time such as 02:30:00"),
        ("walltime=00:00:00", "it must be a time such as 02:30:00"),
        ("memory=8", "it must be a size with its unit, such as 8GB"),
        ("interface=10.0.0.0/40", "a network must be written like 10.0.0.0/8"),
        ("interface=ib0 ib1", "it must be an interface (ib0)"),
        ("environment=A=1", "it must be the name of a variable"),
        ("job_extra_directives=qos", "it must be an option of sbatch"),
        ("job_extra_directives=--array=1-9", "--array is set by trap_hpc itself"),
        ("job_extra_directives=-a1-9", "--array is set by trap_hpc itself"),
        ("broker=http://x", "it must be a URL such as amqps://host:5671/"),
        ("broker=redis://x:y", "it must be a URL such as amqps://host:5671/"),
        ("queue=a\x1bb", "it must be one line of text"),
        ("beat_s=31", "beat_s = 31 (command line): it must be at most half of lease_s"),
    ],
)
def test_an_impossible_value_is_refused(word: str, sentence: str) -> None:
    assert sentence in refusal(word)


def test_the_place_and_the_nearest_key_are_told(settings: Settings) -> None:
    path = settings.write(settings.user, "slurm", '# mine\njob-prologue = "x"\n')
    expected = f"{path}, line 2: a site profile has no key 'job-prologue'; did you mean"
    assert refusal().startswith(expected)


def test_a_misspelled_variable_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRAP_HPC_ACOUNT", "x")
    assert refusal().startswith("TRAP_HPC_ACOUNT: ")
    assert "did you mean account?" in refusal()


def test_a_password_is_refused_and_not_repeated() -> None:
    said = refusal("broker=amqp://me:secret@host/")
    assert "secret" not in said
    assert "amqp://me:***@host/" in said


def test_an_unknown_site_is_told_the_nearest_and_all() -> None:
    said = refusal(name="slrm")
    assert said.startswith("there is no site 'slrm'; did you mean 'slurm'? There are ")
    assert all(site.name in said for site in known_sites())


@pytest.mark.parametrize("name", ["", "..", "../slurm", "job_params", "a b", "\0"])
def test_a_name_is_a_name(name: str) -> None:
    assert refusal(name=name)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (b"queue = ", "is not valid TOML"),
        (b"\xff\xfe", "it is not a text file"),
        (b"[slurm]\nqueue = 'x'\n", "a site profile has no sections such as [slurm]"),
        (b"queue = ['a', 1]", "queue = ['a', 1]: it must be text"),
        (b"interface = ['a', 1]", "it must be text, or a list of texts"),
        (b"queue = 1979-05-27", "it must be text"),
        (b"cores = true", "it must be a whole number"),
        (b"x = " + b"[" * 2000, "is not valid TOML"),
    ],
)
def test_a_broken_file_is_a_sentence(
    settings: Settings, text: bytes, sentence: str
) -> None:
    settings.write(settings.user, "slurm", "").write_bytes(text)
    assert sentence in refusal()
    (known,) = [site for site in known_sites() if site.name == "slurm"]
    assert sentence in known.fault


def test_all_faults_are_told_at_once(settings: Settings) -> None:
    path = settings.write(settings.project, "bad", 'cores = -1\nqeue = "x"\ntls = "y"')
    with pytest.raises(UsageError) as caught:
        check_site_file(path)
    assert [line.partition(": ")[0] for line in str(caught.value).splitlines()] == [
        f"{path}, line {number}" for number in (1, 2, 3)
    ]


def test_every_number_and_every_choice_is_looked_at() -> None:
    numbers = {k for k, v in DEFAULTS.items() if isinstance(v, int | float)}
    assert numbers == LIMITS.keys()
    assert all(DEFAULTS[key] in choices for key, choices in CHOICES.items())


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("00:00:30", 30), ("2:30:00", 9000), ("72:00:00", 259200), ("1-12:00:00", 129600)],
)
def test_walltimes(text: str, seconds: int) -> None:
    assert walltime_s(text) == seconds
    assert walltime_s(load_site("slurm", [f"walltime={text}"]).site.walltime) == seconds


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("8GB", 8 * 10**9),
        ("8GiB", 8 * 2**30),
        ("8G", 8 * 2**30),
        ("1.5 TB", 1500 * 10**9),
        ("100m", 100 * 2**20),
    ],
)
def test_memory_sizes(text: str, size: int) -> None:
    assert memory_bytes(text) == size


# Written and read ------------------------------------------------------------------


def test_what_is_written_is_read_with_its_origins(tmp_path: Path) -> None:
    sourced = load_site("setonix", ["account=a", "python=/a b/c # d"], named_by="X")
    path = tmp_path / "site.toml"
    path.write_text(dump_site(sourced), encoding="utf-8")
    assert load_site_file(path) == sourced


texts = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]))


@given(account=texts, line=texts.filter(str.strip), place=texts)
@trials(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_survives_writing(
    tmp_path: Path, account: str, line: str, place: str
) -> None:
    site = Site(account=account, job_script_prologue=(line.strip(),))
    sourced = SourcedSite(site, tuple((key, place) for key in DEFAULTS))
    path = tmp_path / "site.toml"
    path.write_text(dump_site(sourced), encoding="utf-8")
    assert load_site_file(path) == sourced


def test_a_value_that_was_changed_by_hand_is_taken(tmp_path: Path) -> None:
    path = tmp_path / "site.toml"
    text = dump_site(load_site("slurm")).replace('queue = ""  # default', "queue='q'")
    path.write_text(text, encoding="utf-8")
    sourced = load_site_file(path)
    assert sourced.site.queue == "q"
    assert origin(sourced, "queue").startswith(f"{path}, line ")

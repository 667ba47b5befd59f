"""Values of site profiles: how they may be written, and what is refused."""

from __future__ import annotations

import pytest

from tests.sites import Settings
from tests.sites import settings as settings
from trap_hpc.config.forms import memory_bytes, walltime_s
from trap_hpc.config.judging import CHOICES, DEFAULTS, LIMITS
from trap_hpc.config.sites import check_site_file, known_sites, load_site
from trap_hpc.errors import UsageError

pytestmark = pytest.mark.usefixtures("settings")


def refusal(*overrides: str, name: str = "slurm") -> str:
    with pytest.raises(UsageError) as caught:
        load_site(name, overrides)
    return str(caught.value)


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

"""Profiles that come from dask-jobqueue."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.command_line import CommandLine
from tests.sites import Settings
from tests.sites import settings as settings
from trap_hpc.config.jobqueue import LEFT, RENAMED, SAME, import_jobqueue
from trap_hpc.config.sites import load_site

JOBQUEUE = """\
jobqueue:
  slurm:
    name: dask-worker
    # Dask worker options
    cores: 24                 # Total number of cores per job
    memory: 120 GB
    processes: 6
    python: null
    interface: ib0
    death-timeout: 60
    local-directory: $TMPDIR
    worker-extra-args: []
    queue: regular
    project: astro
    walltime: 10:00:00
    env-extra:
      - module load python
    job-script-prologue: ["export A=1"]
    job_cpu: 32
    job-mem: 64000
    job-extra: ['-C haswell', '#SBATCH --qos=debug', '--array=1-2']
    header-skip: ['--mem', '#SBATCH -t']
    scheduler-options:
      interface: eno1
      port: 8786
    frobnicate: true
  pbs:
    queue: other
"""

pytestmark = pytest.mark.usefixtures("settings")


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]) -> CommandLine:
    return CommandLine(capsys)


@pytest.fixture
def jobqueue(settings: Settings) -> Path:
    path = settings.project / "jobqueue.yaml"
    path.write_text(JOBQUEUE, encoding="utf-8")
    return path


def slurm_section(settings: Settings, line: str) -> Path:
    path = settings.project / "jobqueue.yaml"
    path.write_text(f"jobqueue:\n  slurm:\n    {line}\n", encoding="utf-8")
    return path


def test_what_people_wrote_for_dask_carries_over(
    call: CommandLine, jobqueue: Path, settings: Settings
) -> None:
    said = call("sites", "import", jobqueue, "--name", "mine")
    assert said.code == 0
    assert said.out == ""
    site = load_site("mine").site
    assert site.scheduler == "slurm"
    assert (site.queue, site.account, site.walltime) == ("regular", "astro", "10:00:00")
    assert (site.cores, site.memory) == (32, "64000M")
    assert site.job_script_prologue == ("module load python", "export A=1")
    assert site.job_extra_directives == ("-C haswell", "--qos=debug")
    assert site.job_directives_skip == ("--mem", "-t")
    assert site.interface == ("eno1",), "the one that workers come back to"
    assert site.source == f"jobqueue.slurm of {jobqueue}"


def test_what_became_of_each_key_is_told(call: CommandLine, jobqueue: Path) -> None:
    said = call("sites", "import", jobqueue)
    assert said.out.startswith("schema_version = 1\n")
    told = re.findall(r"^(took|left out) +([\w.-]+): ", said.err, re.MULTILINE)
    assert {key for what, key in told if what == "left out"} == {
        "name",
        "processes",
        "death-timeout",
        "local-directory",
        "job-extra",  # of which --array is not taken
        "scheduler-options",
        "frobnicate",
    }
    assert "left out  frobnicate: not known here" in said.err
    assert "--array is set by trap_hpc itself" in said.err


def test_what_is_printed_is_a_good_profile(
    call: CommandLine, jobqueue: Path, settings: Settings
) -> None:
    printed = call("sites", "import", jobqueue, "--scheduler", "slurm").out
    path = settings.write(settings.project, "printed", printed)
    assert call("sites", "check", path).out == (
        f"{path}: good; a site with the scheduler slurm\n"
    )
    out = settings.project / "sub" / "written.toml"
    assert call("sites", "import", jobqueue, "--out", out).code == 0
    assert out.read_text() == printed


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("walltime: 90", 'walltime = "01:30:00"'),
        ("walltime: '90:00'", 'walltime = "01:30:00"'),
        ("walltime: 1-0", 'walltime = "24:00:00"'),
        ("memory: 16000000000", 'memory = "15259M"'),
        ("job-mem: 16G", 'memory = "16G"'),
        ("job-extra: {'-C g20'}", 'job-extra-directives = ["-C g20"]'),
        ("env-extra: module load a", 'job-script-prologue = ["module load a"]'),
        ("account: 0042", 'account = "0042"'),
        ("job-extra-directives: ['-A x\\ny']", "scheduler"),
    ],
)
def test_dasks_spellings_are_understood(
    settings: Settings, line: str, expected: str
) -> None:
    imported = import_jobqueue(slurm_section(settings, line))
    assert expected in imported.toml


def test_an_impossible_value_is_left_out_and_told(settings: Settings) -> None:
    imported = import_jobqueue(slurm_section(settings, "cores: many"))
    assert imported.left == (("cores", "cores = 'many': it must be a whole number"),)
    assert not imported.taken


def test_every_key_of_dask_jobqueue_is_known() -> None:
    import dask_jobqueue
    import yaml

    path = Path(dask_jobqueue.__file__).parent / "jobqueue.yaml"
    keys = set(yaml.safe_load(path.read_text())["jobqueue"]["slurm"])
    assert keys <= {*SAME, *RENAMED, *LEFT}
    assert import_jobqueue(path, "slurm").toml


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("jobqueue: [", "is not valid YAML"),
        ("- a\n", "has no section `jobqueue`"),
        ("jobqueue: 3\n", "has no section `jobqueue`"),
        ("jobqueue: {pbs: {cores: 3}}", "it has jobqueue.pbs"),
        ("jobqueue: {}", "it has none"),
        ("distributed: {a: {}}", "has no section `jobqueue`"),
        ("jobqueue: {slurm: &a {b: *a}}", "not valid YAML"),
        ("!!python/object/apply:os.system ['touch ran']", "has no section"),
    ],
)
def test_another_file_is_a_sentence(
    call: CommandLine, settings: Settings, text: str, sentence: str
) -> None:
    path = settings.project / "a.yaml"
    path.write_text(text)
    said = call("sites", "import", path)
    assert said.code == 2
    assert sentence in said.err
    assert not Path("ran").exists()


def test_a_profile_is_never_written_over(
    call: CommandLine, jobqueue: Path, settings: Settings
) -> None:
    path = settings.write(settings.user, "mine", "cores = 1")
    assert "is there already" in call("sites", "import", jobqueue, "--name", "mine").err
    assert path.read_text() == "cores = 1"
    assert call("sites", "import", jobqueue, "--name", "../x").code == 2
    assert call("sites", "import", "nowhere.yaml").code == 2

"""The job script: as a whole, and run by a real shell."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.ci import lacking
from tests.goldens import Golden
from tests.source import ROOT
from trap_hpc.config.job_environment import for_clients, for_jobs
from trap_hpc.config.site import Site
from trap_hpc.errors import UsageError
from trap_hpc.schedulers.script import job_script

HERE = {
    "HOME": "/home/you",
    "USER": "you",
    "LANG": "en_GB.UTF-8",
    "PATH": "/home/you/venv/bin:/usr/local/bin:/usr/bin:/bin",
    "VIRTUAL_ENV": "/home/you/venv",
}
EXAMPLE = "/scratch/you/runs/trap-k3m9x2pq"
UGLY = ["a b", "it's", '"quoted"', "$HOME", "a;b", "`id`", "50%", "a&b|c", "ümläut"]
WORKER = "import os, sys\nprint(sys.argv[1:], os.environ['ODD'])\n"
ALONE = {"PATH": "/usr/local/bin:/usr/bin:/bin"}


def script(
    site: Site, environment: dict[str, str], run: Path | str = EXAMPLE, **more: bool
) -> str:
    run = Path(run)
    return job_script(
        site,
        run=run,
        epoch=1,
        run_id="trap-k3m9x2pq",
        code=run / "code.zip",
        environment=environment,
        **more,
    )


SLURM = Site(scheduler="slurm", python="/home/you/venv/bin/python")
MODULES = Site(
    scheduler="srun",
    python="python3",
    job_script_prologue=("module purge", 'module load "python/3.11"'),
)


def test_the_example_is_what_is_submitted(golden: Golden) -> None:
    golden(ROOT / "slurm" / "worker-array.sh", script(SLURM, for_jobs(HERE)))


def test_the_profile_says_what_comes_before_the_worker(golden: Golden) -> None:
    inherited = {"PYTHONPATH": f"{EXAMPLE}/code.zip:/opt/stack", "PYTHONSAFEPATH": "1"}
    golden("job-prologue.sh", script(MODULES, HERE | inherited, user_site=True))


def test_a_local_job_is_given_its_id(golden: Golden) -> None:
    golden("job-local.sh", script(Site(python="/usr/bin/python3"), HERE))


def test_the_documentation_shows_what_is_submitted() -> None:
    page = (ROOT / "docs" / "explanation" / "job-script.md").read_text()
    for path in ("slurm/worker-array.sh", "tests/golden/sbatch-plain.txt"):
        assert f"```bash\n{(ROOT / path).read_text()}```" in page, path


@pytest.mark.parametrize(
    "path",
    [ROOT / "slurm" / "worker-array.sh", ROOT / "slurm" / "trap-hpc.sbatch"]
    + [ROOT / "tests" / "golden" / f"job-{name}.sh" for name in ("prologue", "local")],
    ids=lambda path: path.name,
)
def test_shellcheck_finds_nothing(path: Path) -> None:
    if not shutil.which("shellcheck"):
        lacking("shellcheck is not installed")
    # It can't know what /etc/profile of a site says.
    checked = ["shellcheck", "--exclude=SC1091", str(path)]
    done = subprocess.run(checked, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("name", UGLY)
def test_whatever_a_folder_is_called_the_worker_starts_in_it(
    name: str, tmp_path: Path
) -> None:
    run = tmp_path / name
    run.mkdir()
    with zipfile.ZipFile(run / "code.zip", "w") as code:
        code.writestr("trap_hpc/__init__.py", "")
        code.writestr("trap_hpc/worker.py", WORKER)
    odd = {"ODD": f"{name}\nnext line"}
    (run / "job.sh").write_text(script(Site(python=sys.executable), odd, run))
    said = subprocess.run(
        ["bash", run / "job.sh"], env=ALONE, capture_output=True, text=True, check=True
    )
    assert said.stdout == f"{[str(run), '1']} {name}\nnext line\n"


def test_what_the_surroundings_have_on_pythonpath_comes_after_the_snapshot(
    tmp_path: Path,
) -> None:
    text = script(Site(), {"PYTHONPATH": "/opt/stack"}, tmp_path)
    shown = text[: text.index("exec ")] + 'echo "$PYTHONPATH $OMP_NUM_THREADS"\n'
    said = subprocess.run(
        ["bash", "-c", shown], env=ALONE, capture_output=True, text=True, check=True
    )
    assert said.stdout == f"{tmp_path}/code.zip:/opt/stack 1\n"


@pytest.mark.parametrize("name", ["two\nlines", "bell\a", "tab\t", "a:b"])
def test_a_folder_that_no_script_can_name_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match=r"can't be written|imports nothing"):
        script(SLURM, {}, f"/data/{name}")


def test_jobs_get_a_chosen_few_of_our_variables() -> None:
    ours = HERE | {
        "LD_LIBRARY_PATH": "/opt/lib",
        "MODULEPATH": "/opt/modules",
        "LMOD_CMD": "/opt/lmod",
        "CONDA_PREFIX": "/opt/conda",
        "LC_ALL": "C",
        "XDG_CACHE_HOME": "/scratch/cache",
        "XDG_RUNTIME_DIR": "/run/user/1000",
        "SLURM_JOB_ID": "7",
        "EDITOR": "vi",
        "AWS_SECRET_ACCESS_KEY": "hidden",
        "CONDA_TOKEN": "hidden",
        "LMOD_ADMIN_PASSWORD": "hidden",
        "BASH_FUNC_module%%": "() { :; }",
        "MY_DATA": "/data",
        "PYTHONHOME": os.fsdecode(b"/opt/\xff"),
    }
    given = for_jobs(ours, ["MY_DATA"])
    assert set(given) - set(HERE) == {
        *("LD_LIBRARY_PATH", "MODULEPATH", "LMOD_CMD", "CONDA_PREFIX", "LC_ALL"),
        *("XDG_CACHE_HOME", "MY_DATA"),
    }


@pytest.mark.parametrize(
    "name", ["API_TOKEN", "MY_PASSWORD", "my_secret", "SSH_KEY", "DB_CREDENTIALS"]
)
def test_a_profile_cannot_put_secrets_into_job_scripts(name: str) -> None:
    with pytest.raises(UsageError, match=f"{name}, which looks like a secret"):
        for_jobs({name: "hidden"}, [name])


def test_clients_get_nothing_of_another_job() -> None:
    outer = {
        "SLURM_JOB_ID": "7",
        "SLURM_MEM_PER_CPU": "100",
        "SLURM_TIME_FORMAT": "relative",
        "SBATCH_PARTITION": "gpu",
        "SQUEUE_FORMAT": "%i",
        "SRUN_CPUS_PER_TASK": "3",
        "SLURMD_NODENAME": "n1",
        "PMI_RANK": "0",
        "PMIX_RANK": "0",
    }
    kept = {"SLURM_CONF": "/etc/s.conf", "SLURM_CLUSTERS": "big", "SLURM_JWT": "x"}
    ours = {"HOME": "/home/you", "PMIRROR": "yes", "KRB5CCNAME": "FILE:/tmp/k"}
    assert for_clients(outer | kept | ours) == kept | ours

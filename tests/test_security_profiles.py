"""A project's profile is run as whoever stands beside it: it has to be theirs."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.command_line import CommandLine
from tests.sites import Settings
from tests.sites import settings as settings
from tests.strangers import for_a_group, given_away
from trap_hpc.config import profiles
from trap_hpc.config.sites import default_site, load_site
from trap_hpc.errors import UsageError

TEXT = '[site]\nname = "slurm"\njob-script-prologue = ["touch was-run"]\n'


@pytest.fixture
def project(settings: Settings) -> Path:
    path = settings.project / profiles.PROJECT
    path.write_text(TEXT)
    return path


def link(path: Path) -> None:
    path.rename(path.with_name("theirs"))
    given_away(path.with_name("theirs"))
    path.symlink_to("theirs")


CHANGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "another's": (given_away, "it belongs to nobody"),
    "a group's": (lambda path: for_a_group(path, 0o664), "the group 27777 may change"),
    "everybody's": (lambda path: path.chmod(0o666), "everybody may change it"),
    "a link to another's": (link, "it belongs to nobody"),
}


@pytest.mark.parametrize(("change", "who"), CHANGES.values(), ids=CHANGES)
def test_a_project_s_profile_that_others_may_change_is_refused(
    project: Path,
    capsys: pytest.CaptureFixture[str],
    change: Callable[[Path], object],
    who: str,
) -> None:
    assert default_site() == ("slurm", "./trap_hpc.toml, line 2")
    change(project)
    with pytest.raises(UsageError, match=f"not yours alone: {who}"):
        default_site()
    said = CommandLine(capsys)("sites", "show", "slurm")
    assert said.code == 2
    assert "take what you need of it" in said.err
    assert "was-run" not in said.out + said.err


def test_a_copy_of_it_is_one_s_own(project: Path) -> None:
    given_away(project)
    shutil.copyfile(project, project.with_name("copy"))
    project.with_name("copy").replace(project)
    assert load_site("slurm").site.job_script_prologue == ("touch was-run",)


def test_a_group_that_is_the_user_s_alone_is_nobody_else(project: Path) -> None:
    project.chmod(0o664)  # as a umask of 002 makes it
    assert load_site("slurm").site.job_script_prologue


def test_who_names_a_file_has_looked_at_it(settings: Settings) -> None:
    """A group's common profile is named by its path."""
    path = settings.write(settings.project, "common", 'scheduler = "slurm"\n')
    given_away(path)
    assert load_site("./common.toml").site.scheduler == "slurm"


@pytest.mark.parametrize(
    "line",
    [
        'queue = "a\\n#SBATCH --uid=0"',
        'account = "a\\u0000b"',
        'python = "/usr/bin/python3\\ntouch was-run"',
        'job-script-prologue = ["module load a\\u001b[2J"]',
        'job-extra-directives = ["touch was-run"]',
        'job-extra-directives = ["--wrap=touch was-run"]',
    ],
)
def test_a_value_ends_where_it_should(settings: Settings, line: str) -> None:
    settings.write(settings.user, "odd", f'scheduler = "slurm"\n{line}\n')
    with pytest.raises(UsageError):
        load_site("odd")

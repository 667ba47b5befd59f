"""Site profiles on the command line, and changed in place."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.command_line import CommandLine
from tests.sites import Settings
from tests.sites import settings as settings
from trap_hpc.config.editing import set_interface
from trap_hpc.config.profiles import user_profile
from trap_hpc.config.sites import load_site, load_site_file
from trap_hpc.errors import UsageError

pytestmark = pytest.mark.usefixtures("settings")


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]) -> CommandLine:
    return CommandLine(capsys)


# Showing ---------------------------------------------------------------------------


def test_all_sites_are_listed_with_who_tried_them(
    call: CommandLine, settings: Settings
) -> None:
    path = settings.write(settings.user, "broken", "cores = 'x'")
    settings.write(settings.user, "mine", 'tried = "yes, in 2026"\n')
    out = call("sites").out
    assert re.search(r"^setonix +slurm +no +packaged +Setonix, Pawsey", out, re.M)
    assert re.search(r"^mine +local +yes, in 2026 +/", out, re.M)
    assert f"can't be used: {path}, line 1: cores = 'x': it must be" in out
    record = call("sites", "--json").record
    assert record["default"] is None
    assert "setonix" in [site["name"] for site in record["sites"]]


def test_a_profile_at_home_is_listed_by_a_short_name(
    call: CommandLine, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = settings.write(settings.user, "mine", 'scheduler = "slurm"\n')
    monkeypatch.setenv("HOME", str(path.parent.parent))
    short = f"~/{path.parent.name}/mine.toml"
    assert re.search(rf"^mine +slurm +no +{short}", call("sites").out, re.M)


def test_the_default_is_named(
    call: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRAP_HPC_SITE", "slurm")
    assert "Without --site it is slurm (TRAP_HPC_SITE).\n" in call("sites").out


def test_a_site_is_shown_with_all_origins(
    call: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRAP_HPC_ACCOUNT", "pawsey0001")
    out = call("sites", "show", "setonix").out
    assert out.startswith("# setonix: nobody has run this profile yet")
    assert 'account = "pawsey0001"  # TRAP_HPC_ACCOUNT\n' in out
    assert re.search(r'^queue = "work"  # packaged setonix.toml, line \d+$', out, re.M)
    Path("mine.toml").write_text(out)
    assert call("sites", "check", "mine.toml").code == 0, "it can be written to a file"
    record = call("sites", "show", "setonix", "--json").record
    assert record["site"]["account"] == "pawsey0001"
    assert record["origins"].keys() == record["site"].keys()


def test_faults_end_with_2_and_all_of_them(call: CommandLine) -> None:
    Path("bad.toml").write_text("cores = -1\nqeue = 'x'\n")
    said = call("sites", "check", "bad.toml")
    assert said.code == 2
    assert "line 1: cores = -1" in said.err
    assert "line 2: a site profile has no key 'qeue'" in said.err
    assert call("sites", "check", "nowhere.toml").code == 2
    assert call("sites", "show", "nowhere").code == 2


# Changing --------------------------------------------------------------------------

WRITTEN = """\
# mine
account = "x"
interface = [
    "eth0",  # slow # "["
    "a]b",
]  # why
queue = "q"  # interface = ["no"]
"""


def test_the_interface_is_set_and_nothing_else(settings: Settings) -> None:
    path = settings.write(settings.user, "slurm", WRITTEN)
    path.chmod(0o600)
    set_interface(user_profile("slurm"), ["ib0", "10.0.0.0/8"])
    expected = 'account = "x"\ninterface = ["ib0", "10.0.0.0/8"]  # why\nqueue = '
    assert expected in path.read_text()
    assert path.read_text().startswith("# mine\n")
    assert path.stat().st_mode & 0o777 == 0o600
    assert load_site("slurm").site.interface == ("ib0", "10.0.0.0/8")


@pytest.mark.parametrize("text", ["", "cores = 3", "cores = 3 # c\n", None])
def test_a_profile_without_an_interface_gets_one(
    settings: Settings, text: str | None
) -> None:
    path = user_profile("slurm")
    if text is not None:
        settings.write(settings.user, "slurm", text)
    set_interface(path, ["hsn0"])
    assert load_site("slurm").site.interface == ("hsn0",)
    assert path.read_text().startswith(text or "")


def test_a_link_stays_a_link(settings: Settings) -> None:
    real = settings.write(settings.project, "real", "cores = 3\n")
    settings.user.mkdir(parents=True)
    user_profile("slurm").symlink_to(real)
    set_interface(user_profile("slurm"), ["ib0"])
    assert user_profile("slurm").is_symlink()
    assert load_site_file(real).site.interface == ("ib0",)


@pytest.mark.parametrize(
    "text",
    [
        '"interface" = "a"',
        "[x]\ny = 1",
        'job-script-prologue = """\ninterface = 1\n"""',
        "a =",
    ],
)
def test_what_is_not_understood_stays_as_it_is(settings: Settings, text: str) -> None:
    path = settings.write(settings.user, "slurm", text)
    with pytest.raises(UsageError, match="can't change"):
        set_interface(path, ["ib0"])
    assert path.read_text() == text


def test_only_an_interface_is_written(settings: Settings) -> None:
    with pytest.raises(UsageError, match="it must be an interface"):
        set_interface(user_profile("slurm"), ['ib0"\n'])
    assert user_profile("./a.toml") == Path("a.toml"), "a file's own values are there"

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
from trap_hpc.config.judging import DEFAULTS
from trap_hpc.config.site import Site
from trap_hpc.config.sites import (
    SourcedSite,
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

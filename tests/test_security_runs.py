"""A run that others may change is looked at, and nothing is done with it."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.command_line import CommandLine
from tests.samples import write_noise
from tests.sessions import Stage, a_record
from tests.strangers import for_a_group, given_away
from tests.test_reap import gone, left_behind, of_process, reaper
from trap_hpc.config.environment import state_folder
from trap_hpc.errors import RunError
from trap_hpc.paths import RunPaths
from trap_hpc.run.launch import resume
from trap_hpc.run.owner import require_ours
from trap_hpc.run.plan import make_plan
from trap_hpc.run.planfile import read_plan
from trap_hpc.run.prepare import prepare
from trap_hpc.run.registry import find_catalogue, find_run, known_runs, register
from trap_hpc.run.session.reap import leftovers
from trap_hpc.run.session.record import read_session, write_session


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]) -> CommandLine:
    return CommandLine(capsys)


@pytest.fixture
def prepared(tmp_path: Path) -> Path:
    """A run of one image of which nothing is done."""
    image = write_noise(tmp_path / "a.fits")
    prepare(make_plan([str(image)], out=tmp_path / "run", engine="serial"))
    return tmp_path / "run"


def group_s(name: str) -> Callable[[Path], object]:
    return lambda run: for_a_group(run / name, 0o664)


CHANGES: dict[str, Callable[[Path], object]] = {
    "all of it belongs to another": given_away,
    "the code belongs to another": lambda run: given_away(run / "code.zip"),
    "a folder of it does": lambda run: given_away(run / "measurements"),
    "a group may write": for_a_group,
    "a group may write the plan": group_s("plan.toml"),
    "everybody may write": lambda run: run.chmod(0o777),
    "everybody may add files": lambda run: run.chmod(0o1777),
    "a link to another's code": lambda run: linked(run / "code.zip"),
}


def linked(path: Path) -> None:
    theirs = path.parent.parent / "theirs.zip"
    path.rename(theirs)
    given_away(theirs)
    path.symlink_to(theirs)


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_nobody_goes_on_with_a_run_that_others_may_change(
    prepared: Path, call: CommandLine, change: Callable[[Path], object]
) -> None:
    """Its code would be theirs, and so would the files that its plan names."""
    change(prepared)
    said = call("resume", prepared)
    assert said.code == 1
    assert "not yours alone" in said.err
    with pytest.raises(RunError, match="not yours alone"):
        resume(str(prepared))


@pytest.mark.parametrize("mode", [0o700, 0o755, 0o2750])
def test_what_others_may_only_read_is_ours(prepared: Path, mode: int) -> None:
    prepared.chmod(mode)
    require_ours(prepared)


def test_a_file_system_without_modes_says_nothing_of_others(
    prepared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trap_hpc.run.owner.knows_modes", lambda folder: False)
    prepared.chmod(0o777)
    require_ours(prepared)
    given_away(prepared)
    with pytest.raises(RunError, match="it belongs to"):
        require_ours(prepared)


def test_a_plan_can_t_name_the_file_by_which_a_run_is_found(prepared: Path) -> None:
    plan = RunPaths(prepared).plan
    text = plan.read_text().replace('run_id = "trap-', 'run_id = "../../trap-')
    plan.write_text(text)
    with pytest.raises(RunError, match="is no run's id"):
        read_plan(prepared)


@pytest.mark.parametrize("give", [given_away, for_a_group])
def test_jobs_that_a_stranger_s_record_names_are_not_cancelled(
    tmp_path: Path, give: Callable[[Path], object]
) -> None:
    """Any command clears up what dead launchers left."""
    stage = Stage(tmp_path)
    left_behind(stage, of_process(gone(), broker_folder="/tmp/of-the-broker"))
    give(tmp_path)
    (reaped,) = reaper(stage).reap(leftovers({"run": tmp_path}))
    assert reaped.verdict == "unknown"
    assert "not yours alone" in reaped.text
    assert len(stage.cluster.jobs(["trap-abcdefgh"])) == 3
    assert not stage.said


@pytest.mark.parametrize("record", [{"arrays": ("--user=me",)}, {"run_id": "-u"}])
def test_a_record_can_t_name_options_of_the_scheduler(
    tmp_path: Path, record: dict[str, object]
) -> None:
    write_session(tmp_path, a_record(**record))
    with pytest.raises(RunError, match="is no id"):
        read_session(tmp_path)


# where runs are listed --------------------------------------------------------------


@pytest.fixture
def listed(
    prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> dict[str, Path]:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    register("trap-ours", prepared)
    return known_runs()


def test_what_others_put_among_the_listed_runs_is_left_out(
    listed: dict[str, Path], prepared: Path, tmp_path: Path
) -> None:
    folder = state_folder() / "runs"
    (folder / "trap-theirs").write_text(f"{tmp_path}/theirs\n")
    given_away(folder / "trap-theirs")
    (folder / "trap-link").symlink_to(folder / "trap-ours")
    (folder / "trap-open").write_text(f"{prepared}\n")
    (folder / "trap-open").chmod(0o666)
    assert known_runs() == listed == {"trap-ours": prepared}


def test_the_list_of_runs_is_ours_alone_whatever_the_umask(
    prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "a" / "state"))
    before = os.umask(0)
    try:
        register("trap-ours", prepared)
    finally:
        os.umask(before)
    modes = [
        folder.stat().st_mode & 0o777
        for folder in (tmp_path / "a", state_folder(), state_folder() / "runs")
    ]
    assert modes == [0o755, 0o700, 0o700]


@pytest.mark.parametrize("name", ["last", "trap-ours"])
def test_a_folder_here_does_not_pass_for_a_listed_run(
    listed: dict[str, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
) -> None:
    (tmp_path / "here" / name).mkdir(parents=True)
    (tmp_path / "here" / name / "plan.toml").touch()
    monkeypatch.chdir(tmp_path / "here")
    (tmp_path / "here" / name / "catalogue.sqlite").touch()
    RunPaths(listed["trap-ours"]).catalogue.touch()
    assert find_run(name) == listed["trap-ours"]
    assert find_run(f"./{name}") == Path(name)
    assert find_catalogue(name) == str(listed["trap-ours"])
    assert find_catalogue(f"./{name}") == f"./{name}"

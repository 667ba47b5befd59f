"""The doctor's tiny session, here."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.command_line import CommandLine
from trap_hpc.run.registry import known_runs


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str]) -> CommandLine:
    return CommandLine(capsys)


@pytest.fixture(autouse=True)
def at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def verdicts(record: dict[str, list[dict[str, str]]]) -> dict[str, str]:
    return {check["check"]: check["verdict"] for check in record["checks"]}


def test_this_machine_passes_and_nothing_is_left(
    command: CommandLine, tmp_path: Path
) -> None:
    said = command("doctor", "--site", "local", "--timeout", 60, "--json")
    assert said.code == 0, said.err
    found = verdicts(said.record)
    assert "bad" not in found.values()
    assert found["the worker reports for work"] == "good"
    assert found["nothing is left"] == "good"
    assert not list((tmp_path / "runs").iterdir())
    assert not [path for path in known_runs().values() if tmp_path in path.parents]


def test_a_python_without_the_package_is_a_fault_with_advice(
    command: CommandLine, tmp_path: Path
) -> None:
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\nexit 1\n")
    python.chmod(0o755)
    words = ("doctor", "--site", "local", "--timeout", 60, "--site-set")
    said = command(*words, f"python={python}")
    assert said.code == 1
    assert "Mend this first" in said.out
    assert not list((tmp_path / "runs").iterdir())


def test_an_address_that_answers_can_be_kept(
    command: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    words = ("doctor", "--site", "local", "--timeout", 60, "--save-interface")
    said = command(*words)
    assert said.code == 0, said.err
    assert said.out.endswith("This site works: trap-hpc run IMAGES --site local\n")
    kept = (tmp_path / "config/trap_hpc/local.toml").read_text()
    assert "127.0.0.1" in kept


def test_a_site_in_a_file_is_named_and_mended_there(
    command: CommandLine, tmp_path: Path
) -> None:
    site = tmp_path / "my site.toml"
    site.write_text('scheduler = "local"\n')
    words = ("--timeout", 60, "--cores", 1, "--save-interface")
    said = command("doctor", "--site", site, *words)
    assert said.code == 0, said.err
    assert f"run IMAGES --site '{site}' --site-set cores=1\n" in said.out
    assert 'interface = ["127.0.0.1"]' in site.read_text()


def test_what_was_not_reached_is_one_line(command: CommandLine, tmp_path: Path) -> None:
    words = ("doctor", "--site", "local", "--timeout", 60, "--site-set")
    said = command(*words, f"python={tmp_path}/none").out
    assert len(said.splitlines()) < 20
    assert "not reached: " in said

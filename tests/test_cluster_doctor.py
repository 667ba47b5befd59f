"""The doctor on a real Slurm."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cluster.launches import fresh
from tests.cluster.processes import Said
from tests.cluster.shape import OUTSIDE
from tests.cluster.slurm import TRAP_HPC, Slurm


def doctor(slurm: Slurm, site: Path, *words: str) -> Said:
    folder = fresh(slurm, "doctor")
    places = ["--site", str(site), "--folder", str(folder)]
    argv = [*TRAP_HPC, "doctor", *places, "--json", *words]
    return slurm.popen_as_user(argv).wait(120)


def checks(said: Said) -> dict[str, dict[str, str]]:
    return {check["check"]: check for check in json.loads(said.out)["checks"]}


def test_a_good_site_passes(slurm: Slurm) -> None:
    said = doctor(slurm, slurm.site())
    assert said.code == 0, str(said)
    found = checks(said)
    assert {check["verdict"] for check in found.values()} == {"good"}, str(said)
    assert (
        slurm.hosts["login"].address in found["the node reaches the launcher"]["found"]
    )


def test_a_refused_submission_is_told_in_the_schedulers_words(slurm: Slurm) -> None:
    said = doctor(slurm, slurm.site("no-queue.toml", queue="nope"))
    assert said.code == 1
    refused = checks(said)["submission accepted"]
    assert refused["verdict"] == "bad"
    assert "nvalid partition" in refused["found"], str(said)


def test_an_address_that_leads_nowhere_is_the_first_fault(slurm: Slurm) -> None:
    site = slurm.site("doctor-outside.toml", interface=[f"{OUTSIDE}.0/24"])
    said = doctor(slurm, site, "--timeout", "60")
    assert said.code == 1
    found = checks(said)
    bad = [name for name, check in found.items() if check["verdict"] == "bad"]
    assert bad[0] == "the node reaches the launcher", str(said)
    assert "interface" in found[bad[0]]["advice"]


def test_a_job_that_never_starts_is_explained(slurm: Slurm) -> None:
    site = slurm.site("closed.toml", queue="closed")
    said = doctor(slurm, site, "--timeout", "8")
    assert said.code == 1
    found = checks(said)
    assert found["the job starts"]["verdict"] == "bad", str(said)
    assert found["nothing is left"]["verdict"] == "good", str(said)


def test_the_interface_is_kept_not_the_address_of_one_login_host(slurm: Slurm) -> None:
    site = slurm.site("doctor-keeps.toml", interface=["eth*"])
    said = doctor(slurm, site, "--timeout", "60", "--save-interface")
    assert said.code == 0, str(said)
    assert 'interface = ["eth0"]' in site.read_text()

"""Passwords that a run was given are nowhere in what it leaves, or says."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.rabbitmq import RabbitMQ
from tests.samples import write_noise
from tests.sites import Settings
from tests.sites import settings as settings
from trap_hpc.config.job_environment import for_jobs
from trap_hpc.config.sites import load_site
from trap_hpc.errors import UsageError
from trap_hpc.paths import RunPaths
from trap_hpc.plaintext import has_password, redacted

WRONG = "wrong-pa55/w@rd"
PG = "pg-pa55word"
NOBODY = "postgresql://me@127.0.0.1:1/astro"
"""A database that is not there."""


@dataclass
class Place:
    """Where a user works, and all that commands have said there."""

    folder: Path
    heard: list[str] = field(default_factory=list)

    def __call__(self, *words: object, **environment: str) -> int:
        """Run a command; remember what it says."""
        made = {"XDG_STATE_HOME": str(self.folder / "state"), "TMPDIR": str(self.tmp)}
        done = subprocess.run(
            [sys.executable, "-m", "trap_hpc", *map(str, words)],
            capture_output=True,
            text=True,
            cwd=self.folder,
            env=os.environ | made | environment,
            timeout=300,
            check=False,
        )
        self.heard += [done.stdout, done.stderr]
        return done.returncode

    @property
    def tmp(self) -> Path:
        return self.folder / "tmp"

    def all_of(self, run: Path) -> None:
        """Ask all that can be asked of a run."""
        for words in (
            *(("status", run), ("status", run, "--json"), ("logs", run)),
            *(("runs", "--json"), ("resume", run, "--json"), ("reap", "--json")),
        ):
            self(*words)

    def found(self, secrets: Sequence[str]) -> list[str]:
        """Say where one of these is, in files or in words."""
        files = [path for path in self.folder.rglob("*") if path.is_file()]
        texts = {str(path): path.read_bytes() for path in files}
        texts |= {said[:200]: said.encode() for said in self.heard}
        return [
            place
            for place, text in texts.items()
            if any(secret.encode() in text for secret in secrets)
        ]


@pytest.fixture
def place(tmp_path: Path) -> Place:
    made = Place(tmp_path / "work")
    made.tmp.mkdir(parents=True)
    for n in range(4):
        write_noise(made.folder / f"{n}.fits", seed=n)
    return made


@pytest.fixture
def password(rabbitmq_url: RabbitMQ, tmp_path: Path) -> Path:
    """The broker's, in a file, outside of where it is looked for."""
    file = tmp_path / "password"
    file.write_text(rabbitmq_url.password)
    file.chmod(0o600)
    return file


def test_a_run_leaves_no_password_of_a_broker_or_a_database(
    place: Place, rabbitmq_url: RabbitMQ, password: Path
) -> None:
    run = place.folder / "run"
    broker = ("--broker", rabbitmq_url.url, "--broker-password-file", password)
    words = ("*.fits", *broker, "--workers", "2", "--site-set", "lease_s=10")
    secrets = [rabbitmq_url.password, PG]
    assert place("run", *words, "--dry-run", "--json") == 0
    assert place("run", *words, "--out", run) == 0, place.heard[-1]
    place.all_of(run)
    assert (run / "catalogue.sqlite").exists()
    assert "amqp" in (run / "site.toml").read_text()
    assert not place.found(secrets)

    lost = place.folder / "no-database"
    assert place("run", *words, "--out", lost, "--db", NOBODY, PGPASSWORD=PG) == 1
    assert place("--debug", "resume", lost, PGPASSWORD=PG) == 1
    assert "127.0.0.1" in "".join(place.heard)
    place.all_of(lost)
    assert not place.found(secrets)


def test_a_password_that_is_wrong_is_not_repeated(
    place: Place, rabbitmq_url: RabbitMQ
) -> None:
    run = place.folder / "run"
    words = ("run", "*.fits", "--broker", rabbitmq_url.url, "--out", run)
    code = place(*words, TRAP_HPC_BROKER_PASSWORD=WRONG)
    assert code == 1, place.heard
    assert place("--debug", "resume", run, TRAP_HPC_BROKER_PASSWORD=WRONG) == 1
    place.all_of(run)
    assert RunPaths(run).log.exists()
    assert not place.found([WRONG, "wrong-pa55"])


def url(password: str) -> str:
    return f"amqp://me:{password}@rabbit/vhost"


PASSWORDS = ["pa55", "pa55/word", "pa55@word", "pa55:w#rd", "pa55\nword", "pa55?x=1"]


@pytest.mark.parametrize("password", PASSWORDS)
def test_a_password_where_none_should_be_is_refused_and_not_shown(
    place: Place, settings: Settings, password: str
) -> None:
    assert has_password(url(password))
    assert "pa55" not in redacted(url(password))
    with pytest.raises(UsageError) as refused:
        load_site("local", [f"broker={url(password)}"])
    assert "pa55" not in str(refused.value)
    database = f"postgresql://me:{password}@host/astro"
    assert place("run", "*.fits", "--broker", url(password)) == 2
    assert place("run", "*.fits", "--db", database) == 2
    assert place("plan", "*.fits", "--site", "local", TRAP_HPC_BROKER=url(password))
    assert not place.found(["pa55"])


@pytest.mark.parametrize(
    "value",
    ["http://me:hidden@proxy:3128", "HTTPS://:hidden@proxy", "a=b://u:hidden@h"],
)
def test_no_job_script_has_a_password_that_is_in_an_address(value: str) -> None:
    with pytest.raises(UsageError, match="names http_proxy, which holds a password"):
        for_jobs({"http_proxy": value}, ["http_proxy"])
    assert not for_jobs({"CONDA_CHANNEL": value})
    kept = {"PATH": "/a:/b@c", "MODULEPATH": "file:///a:b/c@d", "LANG": "C"}
    assert for_jobs(kept) == kept

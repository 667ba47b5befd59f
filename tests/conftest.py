"""What all tests share."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from trap_hpc.config.environment import cap_threads

cap_threads()  # before numpy is imported by any of these

from tests.cluster.fixtures import slurm as slurm  # noqa: E402
from tests.cluster.fixtures import slurm_of_all as slurm_of_all  # noqa: E402
from tests.cluster.skies import few_images as few_images  # noqa: E402
from tests.cluster.skies import long_night as long_night  # noqa: E402
from tests.cluster.skies import night_on_slurm as night_on_slurm  # noqa: E402
from tests.cluster.skies import serial_run as serial_run  # noqa: E402
from tests.goldens import golden as golden  # noqa: E402
from tests.goldens import pytest_addoption as pytest_addoption  # noqa: E402
from tests.rabbitmq import rabbitmq_url as rabbitmq_url  # noqa: E402
from tests.runs import run  # noqa: E402
from tests.sky import crowded_night  # noqa: E402
from tests.slurm_here import loopback as loopback  # noqa: E402
from tests.slurm_here import loopback_of_all as loopback_of_all  # noqa: E402


@pytest.fixture(autouse=True, scope="session")
def own_state_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Runs of tests are not listed among the user's, whose profiles do not count."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
        patch.setenv("XDG_CONFIG_HOME", str(tmp_path_factory.mktemp("config")))
        yield


@pytest.fixture(autouse=True)
def usual_ctrl_c() -> None:
    """dask_jobqueue answers Ctrl-C in its own way from when it is imported."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def night(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    return crowded_night(tmp_path_factory.mktemp("night"))


@pytest.fixture(scope="session")
def reference(night: list[str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A serial run over the night, in its usual order."""
    out = tmp_path_factory.mktemp("runs") / "reference"
    run(night, out)
    return out

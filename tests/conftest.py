"""What all tests share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from trap_hpc.config.environment import cap_threads

cap_threads()


@pytest.fixture(autouse=True, scope="session")
def own_state_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Runs of tests are not listed among the user's."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
        yield

"""Where on this host a broker's folder can be."""

from __future__ import annotations

import tempfile
from pathlib import Path

from trap_hpc.engines.redis_server.folder import ServerFolder
from trap_hpc.errors import BrokerError

PREFIX = "trap-hpc-broker-"
ROOM_BYTES = 2**18
"""Of which a broker needs less."""


def places() -> tuple[str, ...]:
    """Where a broker's folder may be, the best place first.

    ``/tmp`` is this host's own everywhere; what ``TMPDIR`` names may be shared. Not
    ``XDG_RUNTIME_DIR``: it is removed when the user logs out.
    """
    return ("/tmp", "/var/tmp", tempfile.gettempdir())


def make_folder() -> ServerFolder:
    """Make a new folder, for its owner alone.

    Raises
    ------
    BrokerError
        There is no room for one anywhere.
    """
    reasons = []
    for place in dict.fromkeys(places()):
        try:
            return ServerFolder(_folder_with_room(place))
        except OSError as error:
            reasons.append(f"{place}: {error.strerror or error}")
    raise BrokerError(
        "no folder for the run's own broker can be made on this host "
        f"({'; '.join(reasons)}); free some space in one of these"
    )


def _folder_with_room(place: str) -> Path:
    folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=place))
    probe = folder / "probe"
    try:
        probe.write_bytes(bytes(ROOM_BYTES))
        probe.unlink()
    except BaseException:
        probe.unlink(missing_ok=True)
        folder.rmdir()
        raise
    return folder

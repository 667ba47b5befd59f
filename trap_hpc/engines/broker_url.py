"""A broker that is there already, by its URL and a password from elsewhere."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit

from trap_hpc.config.environment import variables
from trap_hpc.engines.broker import Broker
from trap_hpc.errors import UsageError
from trap_hpc.plaintext import has_password, redacted

__all__ = ["broker_from_url", "broker_password", "redacted", "refuse_password"]

PREFIX, NAME = "TRAP_HPC_", "BROKER_PASSWORD"


@dataclass(frozen=True, slots=True)
class _Scheme:
    port: int
    path: str
    """Where a URL names none."""


SCHEMES = {
    "amqp": _Scheme(5672, "/"),
    "amqps": _Scheme(5671, "/"),
    "redis": _Scheme(6379, "0"),
    "rediss": _Scheme(6379, "0"),
}
EXAMPLES = "amqps://user@host/vhost or rediss://user@host:6379/0"


def refuse_password(url: str, option: str) -> None:
    """Refuse a URL with a password; ``option`` is where it stands.

    Raises
    ------
    UsageError
        There is one in it.
    """
    if has_password(url):
        raise UsageError(
            f"{option} {redacted(url)}: a password there is seen by others; leave it "
            "out, and put it into a file with mode 0600 named by "
            f"--broker-password-file, or into {PREFIX}{NAME}"
        )


def broker_password(file: Path | None) -> str:
    """Return what ``file`` says, or else the environment; empty if nobody says.

    Raises
    ------
    UsageError
        The file can't be read, is empty, or may be read by others.
    """
    if file is None:
        return variables(PREFIX).get(NAME, "")
    try:
        with file.open(encoding="utf-8") as stream:
            mode = os.fstat(stream.fileno()).st_mode
            password = stream.read().strip("\r\n")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is not text"
        raise UsageError(f"--broker-password-file {file}: {reason}") from None
    if stat.S_ISREG(mode) and mode & 0o077:
        raise UsageError(
            f"--broker-password-file {file} may be used by others (mode "
            f"{stat.S_IMODE(mode):04o}): change the password if they have seen it, "
            f"and `chmod 600 {file}`"
        )
    if not password:
        raise UsageError(f"--broker-password-file {file}: it is empty")
    return password


def broker_from_url(
    url: str,
    *,
    password: str,
    run_id: str,
    epoch: int,
    identity: str,
    snapshot: str,
    lease_s: float,
    beat_s: float,
) -> Broker:
    """Return the broker that ``url`` names, for one session.

    Raises
    ------
    UsageError
        It is no URL of a broker, or has a password in it.
    """
    refuse_password(url, "--broker")
    parts = _split(url)
    return Broker(
        run_id=run_id,
        epoch=epoch,
        identity=identity,
        snapshot=snapshot,
        scheme=parts.scheme,
        addresses=(parts.hostname or "",),
        port=parts.port or SCHEMES[parts.scheme].port,
        user=unquote(parts.username or ""),
        password=password,
        path=unquote(parts.path[1:]) or SCHEMES[parts.scheme].path,
        private=False,
        lease_s=lease_s,
        beat_s=beat_s,
    )


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        fault = _fault(parts, parts.port)
    except ValueError as error:
        fault = str(error)
    if fault:
        raise UsageError(f"--broker {redacted(url)}: {fault}; write it as {EXAMPLES}")
    return parts


def _fault(parts: SplitResult, port: int | None) -> str:
    """Say what is wrong with a URL; empty if nothing is."""
    if parts.scheme not in SCHEMES:
        return f"it must begin with one of {', '.join(f'{s}://' for s in SCHEMES)}"
    if not parts.hostname:
        return "it names no host"
    if port == 0:
        return "0 is no port"
    if parts.query or parts.fragment:
        return "options after ? or # are not taken"
    database = unquote(parts.path[1:])
    if parts.scheme.startswith("redis") and not (database or "0").isdecimal():
        return f"{database!r} is not the number of a Redis database"
    return ""

"""What the server is told: its configuration and its one user, as text."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from trap_hpc.engines.redis_server.folder import ServerFolder

CONNECTIONS = 20_000
"""A worker has a handful. The server takes fewer if it may not open so many files."""
MEMORY = "1gb"
"""Tasks are a few hundred bytes; a fault must not eat up the login node."""
MAX_ADDRESSES = 16
"""That Redis binds to."""

RIGHTS = (
    # What kombu's queues are made of, and what redis-py says when it connects,
    "+@connection +@keyspace +@string +@list +@set +@sortedset +@hash +@pubsub "
    # the scripts by which it renews bindings and gives up locks;
    "+@transaction +@scripting "
    # nothing that concerns the server, other clients or all keys at once.
    "-@admin -@dangerous +info +time"
)


def configuration(
    folder: ServerFolder,
    *,
    addresses: Sequence[str],
    port: int,
    encrypted: bool,
    version: tuple[int, int],
) -> str:
    """Return the server's configuration file."""
    lines = [
        f"bind {' '.join(addresses)}",
        f"port {0 if encrypted else port}",
        *(_encryption(folder, port) if encrypted else ()),
        f"aclfile {quoted(folder.users)}",
        "protected-mode yes",
        f"dir {quoted(folder.path)}",
        f"pidfile {quoted(folder.server_id)}",
        "daemonize no",
        "databases 1",
        # Nothing of value is in it: whoever needs it again starts an empty one.
        'save ""',
        "appendonly no",
        f"maxclients {CONNECTIONS}",
        f"maxmemory {MEMORY}",
        "maxmemory-policy noeviction",
        "client-output-buffer-limit pubsub 0 0 0",
        # Nodes may vanish without a word.
        "tcp-keepalive 60",
        "tcp-backlog 2048",
        "timeout 0",
        *(_LOCKS if version >= (7, 0) else ()),
    ]
    return "".join(f"{line}\n" for line in lines)


_LOCKS = (
    "enable-debug-command no",
    "enable-module-command no",
    "enable-protected-configs no",
)


def _encryption(folder: ServerFolder, port: int) -> list[str]:
    return [
        f"tls-port {port}",
        f"tls-cert-file {quoted(folder.certificate)}",
        f"tls-key-file {quoted(folder.key)}",
        f"tls-ca-cert-file {quoted(folder.authority)}",
        "tls-auth-clients yes",
    ]


def users(user: str, password: str) -> str:
    """Return the file of users: ``user``, and nobody else."""
    digest = hashlib.sha256(password.encode()).hexdigest()
    return (
        "user default off resetpass resetkeys resetchannels -@all\n"
        f"user {user} on #{digest} ~* &* {RIGHTS}\n"
    )


def quoted(path: object) -> str:
    """Write a path so that the server reads it as it is."""
    text = str(path).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'

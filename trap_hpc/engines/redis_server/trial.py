"""Whether a server lets us in, with the credentials that workers get."""

from __future__ import annotations

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from trap_hpc.engines.broker import Broker
from trap_hpc.engines.redis_server.folder import ServerFolder

TIMEOUT_S = 5.0


def max_connections(broker: Broker, folder: ServerFolder) -> int:
    """Ask the server how many connections it takes; 0 if it does not let us in."""
    try:
        with connect(broker, folder) as client:
            return int(client.info("clients")["maxclients"])
    except (redis.ConnectionError, redis.TimeoutError):
        return 0


def connect(broker: Broker, folder: ServerFolder) -> redis.Redis:
    """Return a client of the broker; it connects when it is used."""
    encrypted = broker.certificates is not None
    return redis.Redis(
        host=broker.addresses[0],
        port=broker.port,
        username=broker.user,
        password=broker.password,
        socket_timeout=TIMEOUT_S,
        socket_connect_timeout=TIMEOUT_S,
        retry=Retry(NoBackoff(), 0),
        ssl=encrypted,
        ssl_certfile=str(folder.client_certificate) if encrypted else None,
        ssl_keyfile=str(folder.client_key) if encrypted else None,
        ssl_ca_certs=str(folder.authority) if encrypted else None,
    )

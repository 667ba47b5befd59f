"""Certificates of a run's own authority, for both sides of each connection."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from trap_hpc.engines.broker import Certificates

BACK = timedelta(days=1)
"""Clocks of nodes may be behind the launcher's."""
VALID = timedelta(days=60)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairs:
    """What the server shows, and what all its clients show."""

    server_certificate: str
    server_key: str = field(repr=False)
    clients: Certificates


def new_certificates(addresses: Sequence[str], client: str) -> Pairs:
    """Make an authority, and let it sign for the server and for its clients.

    The authority's key is forgotten on return: nobody can sign another.
    """
    import trustme  # a tenth of a second, for launchers that encrypt

    now = datetime.now(UTC)
    authority = trustme.CA(organization_name="trap-hpc", organization_unit_name=client)
    server = authority.issue_cert(
        *addresses, not_before=now - BACK, not_after=now + VALID
    )
    worker = authority.issue_cert(
        common_name=client, not_before=now - BACK, not_after=now + VALID
    )
    return Pairs(
        server_certificate=_chain(server.cert_chain_pems),
        server_key=server.private_key_pem.bytes().decode(),
        clients=Certificates(
            authority=authority.cert_pem.bytes().decode(),
            certificate=_chain(worker.cert_chain_pems),
            key=worker.private_key_pem.bytes().decode(),
        ),
    )


def _chain(pems: Sequence[object]) -> str:
    return "".join(pem.bytes().decode() for pem in pems)  # type: ignore[attr-defined]

"""What was intended, sent and finished: one SQLite file with one writer.

With the measurement files it is the only truth about what is done: after any crash a
run goes on from here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from trap_hpc.pipeline.images.address import parse
from trap_hpc.run.ledger_file import LedgerFile

if TYPE_CHECKING:
    from trap_hpc.pipeline.records import Header, Refusal
    from trap_hpc.pipeline.tasks import Receipt

_IMAGES = "SELECT id, address, taustart_us, batch FROM image WHERE NOT refused"


@dataclass(frozen=True, slots=True)
class KnownImage:
    """A scanned image. ``batch`` is None while it is not measured."""

    id: int
    address: str
    taustart_us: int
    batch: int | None
    refused: bool = False

    def measured_by(self, batch: int, *, refused: bool) -> KnownImage:
        """Return this image after a batch has measured or refused it."""
        return replace(self, batch=batch, refused=refused)


class Ledger(LedgerFile):
    """The ledger of one run. Nothing is kept before `commit`."""

    # facts ---------------------------------------------------------------------

    def note(self, key: str, value: str) -> None:
        """Keep one fact of the run."""
        self._many("INSERT OR REPLACE INTO fact VALUES (?, ?)", [(key, value)])

    def fact(self, key: str, default: str = "") -> str:
        """One fact of the run."""
        rows = self._all("SELECT value FROM fact WHERE key = ?", key)
        return str(rows[0][0]) if rows else default

    # scanning ------------------------------------------------------------------

    def add_paths(self, paths: Iterable[str]) -> None:
        """Note the files that the run is about."""
        self._many(
            "INSERT OR IGNORE INTO path (path) VALUES (?)", ((p,) for p in paths)
        )

    def unscanned(self) -> list[tuple[int, str]]:
        """Return id and path of the files whose headers have not been read."""
        return self._all("SELECT id, path FROM path WHERE NOT scanned ORDER BY id")

    def scanned(
        self, path_ids: Sequence[int], findings: Sequence[Header | Refusal]
    ) -> None:
        """Note what the headers of some files say."""
        from trap_hpc.pipeline.records import Header, Refusal

        self._many("UPDATE path SET scanned = 1 WHERE id = ?", ((i,) for i in path_ids))
        self._many(
            "INSERT OR IGNORE INTO image (address, taustart_us) VALUES (?, ?)",
            ((h.address, h.taustart_us) for h in findings if isinstance(h, Header)),
        )
        self.refuse("scan", [f for f in findings if isinstance(f, Refusal)])

    def images(self) -> list[KnownImage]:
        """All scanned images that are not refused, in the order of scanning."""
        return [KnownImage(*row) for row in self._all(f"{_IMAGES} ORDER BY id")]

    def find(self, addresses: Iterable[str]) -> list[KnownImage]:
        """Return the images with these addresses that are not refused."""
        query = f"{_IMAGES} AND address = ?"
        rows = (row for a in addresses for row in self._all(query, a))
        return [KnownImage(*row) for row in rows]

    # batches -------------------------------------------------------------------

    def next_batch(self) -> int:
        """Return the id that the next batch gets."""
        return int(self._all("SELECT coalesce(max(id), 0) + 1 FROM batch")[0][0])

    def sent(self, batch: int, name: str, step: str, items: int, attempt: int) -> None:
        """Note that a batch is about to be sent."""
        self._many(
            "INSERT INTO batch (id, name, step, items, attempts) "
            "VALUES (?, ?, ?, ?, ?) "
            "ON CONFLICT (id) DO UPDATE SET attempts = excluded.attempts",
            [(batch, name, step, items, attempt)],
        )

    def finished(self, batch: int, receipt: Receipt) -> None:
        """Note where a batch's findings are."""
        self._many(
            "UPDATE batch SET file = ?, checksum = ?, seconds = ? WHERE id = ?",
            [(receipt.file, receipt.checksum, receipt.seconds, batch)],
        )

    def file(self, batch: int) -> tuple[str, str]:
        """Name and checksum of a finished batch's measurement file."""
        rows = self._all("SELECT file, checksum FROM batch WHERE id = ?", batch)
        return str(rows[0][0]), str(rows[0][1])

    def measured(self, batch: int, image_ids: Iterable[int]) -> None:
        """Note which batch measured some images."""
        rows = ((batch, i) for i in image_ids)
        self._many("UPDATE image SET batch = ? WHERE id = ?", rows)

    def forced(self, batch: int, image_ids: Iterable[int]) -> None:
        """Note which images have forced fits in a batch."""
        rows = ((i, batch) for i in image_ids)
        self._many("INSERT OR IGNORE INTO forced VALUES (?, ?)", rows)

    def forced_batches(self) -> dict[int, list[int]]:
        """Return the batches with forced fits of each image, by image id."""
        batches: dict[int, list[int]] = {}
        for image, batch in self._all("SELECT image, batch FROM forced ORDER BY batch"):
            batches.setdefault(image, []).append(batch)
        return batches

    # refusals ------------------------------------------------------------------

    def refuse(self, step: str, refusals: Sequence[Refusal]) -> None:
        """Note images that can't be used. A refusal in step `force` keeps the image."""
        self._many(
            "INSERT OR REPLACE INTO refusal VALUES (?, ?, ?, ?)",
            ((r.address, step, r.kind, r.reason) for r in refusals),
        )
        if step == "measure":
            self._many(
                "UPDATE image SET refused = 1 WHERE address = ?",
                ((r.address,) for r in refusals),
            )

    def refusals(self) -> list[Refusal]:
        """All refusals and notes, by address."""
        from trap_hpc.pipeline.records import Refusal

        query = "SELECT address, kind, reason FROM refusal ORDER BY address, step, kind"
        return [Refusal(address=a, kind=k, reason=r) for a, k, r in self._all(query)]

    def refused_in(self, step: str) -> set[str]:
        """Return the addresses of the images that ``step`` could not use."""
        rows = self._all("SELECT address FROM refusal WHERE step = ?", step)
        return {address for (address,) in rows}

    def forget_refusals(self) -> int:
        """Let every image that was unreadable or failed be tried again; how many."""
        bad = "SELECT address FROM refusal WHERE kind IN ('unreadable', 'failed')"
        (count,) = self._all(f"SELECT count(*) FROM ({bad})")[0]
        with self._speaking():
            paths = self._db.execute(f"{bad} AND step = 'scan'").fetchall()
            self._db.executemany(
                "UPDATE path SET scanned = 0 WHERE path = ?",
                ((parse(address).path,) for (address,) in paths),
            )
            self._db.execute("UPDATE image SET refused = 0, batch = NULL WHERE refused")
            self._db.execute(
                "DELETE FROM forced WHERE image IN (SELECT id FROM image "
                f"WHERE address IN ({bad}))"
            )
            self._db.execute(f"DELETE FROM refusal WHERE address IN ({bad})")
        return int(count)

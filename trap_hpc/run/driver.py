"""The driver: scan, measure, associate, force, light curves.

It holds the only truth about what is done, in the ledger and the measurement files. It
keeps the engine busy, takes what comes back in any order, and passes it on in the order
of time; so the catalogue does not depend on the engine, the number of workers, the
order of arrival or what went wrong on the way.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence

from trap_hpc.catalogue.store import Catalogue
from trap_hpc.engines.base import Engine
from trap_hpc.paths import RunPaths
from trap_hpc.pipeline.records import ForcedImage, Header, Refusal
from trap_hpc.pipeline.tasks import Item
from trap_hpc.run.batches import Dispatcher
from trap_hpc.run.findings import Findings
from trap_hpc.run.ledger import KnownImage, Ledger
from trap_hpc.run.log import RunLog
from trap_hpc.run.pace import Pace
from trap_hpc.run.plan import Plan
from trap_hpc.run.sendings import Done, Work
from trap_hpc.run.sequence import Sequencer
from trap_hpc.run.tally import Tally
from trap_hpc.run.window import Window

NEWS_WITHIN_S = 0.5
AT_A_TIME_S = 0.2
"""So long association may go on before the workers are looked after."""
COMMIT_S = 0.5
"""So much of what is known may be lost to a crash, and has to be done again."""
CHECKPOINT_S = 10.0


class Driver:
    """One session of work on a run, from where the ledger says that it is."""

    def __init__(
        self,
        plan: Plan,
        ledger: Ledger,
        engine: Engine,
        catalogue: Catalogue,
        tally: Tally,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        paths = RunPaths(plan.directory)
        self._ledger = ledger
        self._catalogue = catalogue
        self._tally = tally
        self._clock = clock
        self._log = RunLog(paths.log)
        self._findings = Findings(ledger, paths)
        self._dispatcher = Dispatcher(engine, ledger, paths, _pace(plan), self._log)
        self._window = Window(plan.parameters.parameters, plan.monitor, self._ask)
        self._images = {image.id: image for image in ledger.images()}
        self._unscanned = 0
        self._sequencer = Sequencer(
            self._images, ledger, self._findings, self._window, self._measure_again
        )
        self._commit_at = clock()
        self._checkpoint_at = clock() + CHECKPOINT_S

    def run(self) -> None:
        """Do all that is left to do, then finish the catalogue.

        Raises
        ------
        RunError
            The run can't go on; what it did is kept.
        """
        self._begin()
        more = True
        while not self._sequencer.complete:
            self._dispatcher.feed(hold_partial=self._may_hold(more))
            for done in self._dispatcher.collect(0 if more else NEWS_WITHIN_S):
                self._take(done)
            more = self._advance()
            self._commit()
            self._tally.tell()
        self._finish()

    # what is left to do --------------------------------------------------------

    def _begin(self) -> None:
        unscanned = self._ledger.unscanned()
        self._dispatcher.offer(
            "scan", [Work(id=i, item=Item(address=path)) for i, path in unscanned]
        )
        images = self._images.values()
        self._tally.resume(images)
        self._measure(image for image in images if image.batch is None)
        self._unscanned = len(unscanned)
        if not unscanned:
            self._all_scanned()

    def _may_hold(self, more: bool) -> bool:
        """Whether forced fits can wait for more of their kind.

        While association goes on, more will come; else they would be sent in as many
        small batches as it makes pauses.
        """
        busy = more or self._dispatcher.waiting("measure") > 0
        return busy and self._sequencer.ahead < 0.5

    def _measure(self, images: Iterable[KnownImage], *, first: bool = False) -> None:
        work = [Work(id=i.id, item=Item(address=i.address)) for i in images]
        self._dispatcher.offer("measure", work, first=first)

    def _measure_again(self, images: Sequence[KnownImage], why: str) -> None:
        self._log(f"{len(images)} images are measured again: {why}")
        self._tally.lost(len(images))
        self._measure(images, first=True)

    def _ask(self, image_id: int, item: Item) -> None:
        self._dispatcher.offer("force", [Work(id=image_id, item=item)])

    # what comes back -----------------------------------------------------------

    def _take(self, done: Done) -> None:
        take = {
            "scan": self._take_scanned,
            "measure": self._take_measured,
            "force": self._take_forced,
        }
        refusals = [f for f in done.findings if isinstance(f, Refusal)]
        for refusal in refusals:
            self._log(f"{refusal.kind}: {refusal.address}: {refusal.reason}")
        take[done.step](done, refusals)

    def _take_scanned(self, done: Done, refusals: Sequence[Refusal]) -> None:
        found = [f for f in done.findings if isinstance(f, Header | Refusal)]
        self._ledger.scanned([work.id for work in done.work], found)
        addresses = [f.address for f in found if isinstance(f, Header)]
        new = [
            image
            for image in self._ledger.find(addresses)
            if image.id not in self._images
        ]
        self._images.update({image.id: image for image in new})
        self._tally.scanned(len(new), len(refusals))
        self._measure(new)
        self._unscanned -= len(done.work)
        if not self._unscanned:
            self._all_scanned()

    def _all_scanned(self) -> None:
        """Order all images in time, and measure what is left in that order."""
        self._sequencer.all_scanned()
        self._tally.all_scanned()
        self._dispatcher.reorder(
            "measure", lambda work: (self._images[work.id].taustart_us, work.id)
        )

    def _take_measured(self, done: Done, refusals: Sequence[Refusal]) -> None:
        self._findings.keep(done.batch, done.findings)
        self._ledger.measured(done.batch, [work.id for work in done.work])
        self._ledger.refuse("measure", refusals)
        refused = {refusal.address for refusal in refusals}
        for work in done.work:
            image = self._images[work.id]
            self._images[work.id] = image.measured_by(
                done.batch, refused=image.address in refused
            )
        self._sequencer.arrived([work.id for work in done.work])
        self._tally.measured(len(done.work), len(refusals))

    def _take_forced(self, done: Done, refusals: Sequence[Refusal]) -> None:
        self._tally.forced()
        self._ledger.forced(done.batch, [work.id for work in done.work])
        for work, finding in zip(done.work, done.findings, strict=True):
            forced = finding if isinstance(finding, ForcedImage) else None
            if isinstance(finding, Refusal) and work.id in self._window:
                self._ledger.refuse("force", [finding])
            self._window.answer(work.id, forced)

    # in the order of time ------------------------------------------------------

    def _advance(self) -> bool:
        """Go on with association for a moment; say whether there is more."""
        until = self._clock() + AT_A_TIME_S
        more = False
        for rows in self._sequencer.final_steps():
            if rows:
                self._catalogue.add_step(rows)
                self._tally.associated(rows)
            if more := self._clock() >= until:
                break
        self._tally.duplicates = self._sequencer.duplicates
        self._checkpoint()
        return more

    def _commit(self) -> None:
        """Make sure of the ledger; not at once, for each time waits for the disk."""
        if self._clock() >= self._commit_at:
            self._ledger.commit()
            self._commit_at = self._clock() + COMMIT_S

    def _checkpoint(self) -> None:
        """From time to time, make sure of what is in the catalogue."""
        if self._clock() >= self._checkpoint_at:
            self._ledger.commit()  # first: the catalogue must hold nothing unknown
            self._catalogue.checkpoint()
            self._checkpoint_at = self._clock() + CHECKPOINT_S

    def _finish(self) -> None:
        self._tally.finishing()
        self._ledger.commit()
        self._catalogue.end_replay()
        self._catalogue.add_refusals(self._ledger.refusals())
        self._catalogue.finish(self._sequencer.final_tables())
        self._ledger.note("finished", "yes")
        self._ledger.commit()


def _pace(plan: Plan) -> Pace:
    limit_s = plan.site.site.time_limit_s if plan.site else 0.0
    return Pace(fixed=plan.batch_size, limit_s=limit_s)

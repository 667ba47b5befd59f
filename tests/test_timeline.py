"""Images come in in any order and leave in the order of time."""

from __future__ import annotations

import random
from dataclasses import replace

from tests.samples import measured
from trap_hpc.pipeline.records import Rejection
from trap_hpc.run.ledger import KnownImage
from trap_hpc.run.timeline import Timeline, assemble


def known(image_id: int, second: int, batch: int | None = None) -> KnownImage:
    return KnownImage(image_id, f"{image_id}.fits", second * 1_000_000, batch)


def test_steps_leave_in_time_order_as_soon_as_their_images_are_in() -> None:
    timeline = Timeline([known(1, 30), known(2, 10), known(3, 10), known(4, 20)])
    left: list[list[int]] = []
    for image_id in (1, 2, 4, 3):
        timeline.arrived([image_id])
        while step := timeline.peek():
            left.append(list(step))
            timeline.advance()
    assert left == [[2, 3], [4], [1]]
    assert timeline.complete


def test_what_an_earlier_session_measured_is_in() -> None:
    timeline = Timeline([known(1, 10, batch=7), known(2, 20)])
    assert timeline.peek() == [1]
    assert timeline.lost([1, 99]) == {1}
    assert timeline.peek() is None


def test_the_order_within_a_step_does_not_depend_on_arrival() -> None:
    images = [(n, measured(f"{n}.fits", count=n)) for n in range(6)]
    expected = assemble(images)
    for seed in range(5):
        random.Random(seed).shuffle(images)
        again = assemble(images)
        assert again.ids == expected.ids
        assert again.notes == expected.notes


def test_the_same_content_counts_once_and_is_noted() -> None:
    one = measured("a.fits")
    two = replace(one, header=replace(one.header, address="copy.fits"))
    step = assemble([(2, two), (1, one)])
    assert step.ids == [1]
    (note,) = step.notes
    assert (note.address, note.kind) == ("copy.fits", "duplicate")
    assert note.reason == "same content as a.fits, which is used"


def test_two_images_of_one_time_band_and_field_are_used_and_noted() -> None:
    step = assemble([(1, measured("a.fits")), (2, measured("b.fits"))])
    assert step.ids == [1, 2]
    (note,) = step.notes
    assert (note.address, note.kind) == ("b.fits", "note")


def test_a_rejected_image_is_not_noted_as_used() -> None:
    flat = Rejection(reason=5, comment="")
    one, two = measured("a.fits"), replace(measured("b.fits"), rejection=flat)
    assert not assemble([(1, one), (2, two)]).notes


def test_other_fields_and_bands_are_not_worth_a_note() -> None:
    one, two, three = (measured(f"{n}.fits") for n in "abc")
    two = replace(two, header=replace(two.header, freq_eff_hz=180e6))
    three = replace(three, header=replace(three.header, centre_ra_deg=10.0))
    step = assemble([(1, one), (2, two), (3, three)])
    assert step.ids == [3, 1, 2]
    assert not step.notes


def test_only_what_was_not_handed_out_is_lost() -> None:
    timeline = Timeline([known(n, n, batch=1) for n in range(1, 6)])
    timeline.advance()
    timeline.advance()
    assert timeline.lost([1, 3, 5]) == {3, 5}
    assert timeline.peek() is None
    timeline.arrived([3])
    assert timeline.peek() == [3]

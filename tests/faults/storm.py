"""All faults at random, often several at once, run after run for a given time."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator, Mapping, Sequence

from tests.faults.campaign import Campaign
from tests.faults.fault import Fault, Need
from tests.faults.kinds import ALL
from tests.faults.kinds.broker import private
from tests.faults.kinds.clock import clocks, few_images
from tests.faults.kinds.disk import small_disk
from tests.faults.kinds.images import hanging, impatient, patient, poisoned
from tests.faults.kinds.late import late_files
from tests.faults.kinds.scheduler import requeued, short_jobs
from tests.faults.kinds.service import postgresql, rabbitmq, redis
from tests.faults.records import STORM
from tests.faults.trial import Next

MEAN_S = 4.0
"""Between two moments at which something breaks."""
BURST, AT_ONCE = 0.25, (2, 3, 4)
"""How often several things break at once, and how many."""
RARE = 0.3
"""What ends the launcher costs more time than all others."""
CLEARS_UP_S = 150.0
"""A run in a storm meets nothing new after that, for some day it must end."""


SHARES: Mapping[Need, float] = {
    postgresql: 0.4,
    clocks: 0.4,
    short_jobs: 0.3,
    poisoned: 0.2,
    hanging: 0.2,
}
"""How often a run has it."""
INSTEAD: Mapping[Need, Need] = {impatient: patient, few_images: patient}
"""In a storm a good image may take longer, and there are many."""


def storm(campaign: Campaign, seconds: float) -> bool:
    """Let it rage until so many seconds are on record; whether all went well."""
    good = True
    while (left_s := seconds - raged_s(campaign)) > 0:
        number = len(campaign.records.of(STORM)) + 1
        chance = random.Random(f"{campaign.seed} {STORM} {number}")
        needs = surroundings(chance)
        faults = possible(needs)
        campaign.say(f"storm for {left_s:.0f} s more")
        clears_up_s = time.monotonic() + min(left_s, CLEARS_UP_S)
        plan = weather(faults, chance, clears_up_s)
        good = not campaign.one_run(STORM, number, needs, plan, chance).wrong and good
    return good


def raged_s(campaign: Campaign) -> float:
    return sum(record.result.seconds for record in campaign.records.of(STORM))


def surroundings(chance: random.Random) -> list[Need]:
    """Choose what a run stands on."""
    broker: Need = chance.choice((private, private, private, redis, rabbitmq))
    place: Sequence[Need] = chance.choice(((), (small_disk,), (late_files,)))
    others: list[Need] = [
        need for need, share in SHARES.items() if chance.random() < share
    ]
    return [broker, *place, *others, requeued, patient]


def possible(needs: Sequence[Need]) -> list[Fault]:
    """Return what can break there."""
    return [
        fault
        for fault in ALL
        if fault.in_storm
        and not fault.missing()
        and all(INSTEAD.get(need, need) in needs for need in fault.needs)
    ]


def weather(
    faults: Sequence[Fault], chance: random.Random, until_s: float
) -> Iterator[Next]:
    """Yield what to break, until the weather clears up."""
    weights = [RARE if fault.ends_launcher else 1.0 for fault in faults]
    while time.monotonic() < until_s:
        gap_s = chance.expovariate(1 / MEAN_S)
        number = chance.choice(AT_ONCE) if chance.random() < BURST else 1
        for fault in chance.choices(faults, weights, k=number):
            yield gap_s, fault
            gap_s = 0.0

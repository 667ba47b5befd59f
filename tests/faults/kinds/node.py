"""Faults of whole nodes and of the network."""

from __future__ import annotations

from tests.cluster.hosts import Host
from tests.faults.fault import fault
from tests.faults.scene import LEASE_S, Scene


def unhurt(scene: Scene) -> list[Host]:
    """Return the nodes that are on and have their cable in."""
    return [node for node in scene.slurm.nodes if not scene.marked(node.name)]


@fault(
    "node off and on",
    "power of a node off, and on after 2-15 s",
    gap_s=(4.0, 10.0),
)
def switch_off(scene: Scene) -> str:
    node = scene.pick(unhurt(scene))
    if node is None:
        return ""
    seconds = scene.chance.uniform(2, 15)
    node.end()
    scene.mark(node.name)

    def switch_on() -> None:
        node.power_on()
        for mount in scene.switched_on:
            mount(node)
        scene.slurm.start_slurmd(int(node.name.removeprefix("n")))
        scene.unmark(node.name)

    scene.later(seconds, switch_on)
    return f"{node.name} for {seconds:.1f} s"


@fault(
    "network cut",
    "cable of a node out, and in again before the lease is over",
    gap_s=(2.0, 5.0),
)
def cut(scene: Scene) -> str:
    return _cut(scene, scene.chance.uniform(0.5, 0.7 * LEASE_S))


@fault(
    "network cut for long",
    "cable of a node out, and in again after the lease",
    gap_s=(3.0, 8.0),
)
def cut_for_long(scene: Scene) -> str:
    return _cut(scene, scene.chance.uniform(1.2 * LEASE_S, 2 * LEASE_S))


def _cut(scene: Scene, seconds: float) -> str:
    node = scene.pick(unhurt(scene))
    if node is None:
        return ""
    node.cut()
    scene.mark(node.name)

    def heal() -> None:
        node.heal()
        scene.unmark(node.name)

    scene.later(seconds, heal)
    return f"{node.name} for {seconds:.1f} s"

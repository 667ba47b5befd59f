"""Nodes find the launcher by whichever of its addresses they can reach."""

from __future__ import annotations

import re
import time
from pathlib import Path

from tests.cluster.launches import Launch, no_jobs, none_left
from tests.cluster.shape import OUTSIDE, outside_address
from tests.cluster.slurm import Slurm


def test_an_address_that_nodes_can_t_reach_is_named_with_the_node(
    slurm: Slurm, few_images: Path
) -> None:
    site = slurm.site("outside.toml", interface=[f"{OUTSIDE}.0/24"])
    began_s = time.monotonic()
    launch = Launch(slurm, few_images, site=site, workers=6)
    launch.until_said("could not reach the launcher")
    assert time.monotonic() - began_s < 30
    said = launch.wait()
    assert said.code == 1, str(said)
    outside = re.escape(outside_address("login"))
    tried = rf"on n\d.* could not reach .* tried {outside}:\d+ \(.+\)"
    assert re.search(tried, said.err), str(said)
    assert "interface" in said.err
    assert none_left(said, "3 jobs")
    assert no_jobs(slurm)


def test_the_address_that_answers_is_taken_without_asking(
    slurm: Slurm, few_images: Path
) -> None:
    """The first one in the profile leads nowhere."""
    networks = [f"{OUTSIDE}.0/24", "10.77.0.0/24"]
    site = slurm.site("two-networks.toml", interface=networks)
    launch = Launch(slurm, few_images, site=site, workers=2)
    said = launch.wait()
    assert said.code == 0, str(said)
    assert f"by address {slurm.hosts['login'].address}" in said.err, str(said)


def test_without_a_word_in_the_profile_all_addresses_but_loopback_are_offered(
    slurm: Slurm, few_images: Path
) -> None:
    site = slurm.site("any-network.toml", interface=None)
    launch = Launch(slurm, few_images, site=site, workers=2)
    said = launch.wait()
    assert said.code == 0, str(said)
    assert f"by address {slurm.hosts['login'].address}" in said.err, str(said)
    log = launch.paths.log.read_text()
    assert outside_address("login") in log
    assert "127.0.0.1" not in log


def test_an_address_that_the_host_does_not_have_is_refused(
    slurm: Slurm, few_images: Path
) -> None:
    site = slurm.site("wrong-network.toml", interface=["10.1.2.0/24"])
    said = Launch(slurm, few_images, site=site, workers=2).wait()
    assert said.code != 0
    assert "10.1.2.0/24" in said.err, str(said)
    assert "10.77.0.1" in said.err, "what there is, is not named"
    assert no_jobs(slurm)

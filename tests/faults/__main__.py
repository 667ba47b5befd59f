"""``python -m tests.faults``, as root: see docs/explanation/faults.md."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tests.cluster.up import what_is_missing
from tests.faults.campaign import Campaign
from tests.faults.filesystems.mounts import what_is_missing as nothing_to_mount_with
from tests.faults.kinds import FAULTS
from tests.faults.lab import laboratory
from tests.faults.records import Records
from tests.faults.storm import storm
from tests.faults.table import write_tables


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.faults")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="faults, by name")
    parser.add_argument("--tries", type=int, default=20, help="of each fault")
    parser.add_argument(
        "--storm", type=float, default=0, metavar="SECONDS", help="all at random"
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--images", type=int, default=600)
    parser.add_argument(
        "--records",
        type=Path,
        default=Path("faults.jsonl"),
        help="what came of each run: what is in it is not done again",
    )
    parser.add_argument(
        "--keep", action="store_true", help="keep logs of good runs, too"
    )
    parser.add_argument(
        "--write", type=Path, metavar="PAGE", help="put the tables there"
    )
    return parser.parse_args()


def main() -> int:
    options = parsed()
    unknown = set(options.only or ()) - FAULTS.keys()
    if unknown:
        sys.exit(f"there is no {', '.join(unknown)}, but {', '.join(FAULTS)}")
    if missing := what_is_missing() or nothing_to_mount_with():
        sys.exit(missing)
    records = Records(options.records)
    good = tried(options, records)
    if options.write:
        write_tables(options.write, records)
    return 0 if good else 1


def tried(options: argparse.Namespace, records: Records) -> bool:
    """Do what is not in the records yet; whether all went well."""
    names = [
        name for name in options.only or FAULTS if records.tries(name) < options.tries
    ]
    if not names and not options.storm:
        return True
    with laboratory(options.images) as lab:
        campaign = Campaign(
            lab=lab,
            records=records,
            evidence=options.records.with_suffix(".evidence"),
            keeps_all=options.keep,
            seed=options.seed,
            say=lambda text: print(text, flush=True),
        )
        good = [campaign.try_out(FAULTS[name], options.tries) for name in names]
        return all([storm(campaign, options.storm), *good])


if __name__ == "__main__":
    sys.exit(main())

"""What `trap-hpc plan` prints: all that a run would do, each value with its origin."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

from trap_hpc.cli.output import echo, print_json, print_rows

if TYPE_CHECKING:
    from trap_hpc.config.sites import SourcedSite
    from trap_hpc.run.plan import Plan
    from trap_hpc.run.session.preview import Preview


def print_plan(plan: Plan, as_json: bool) -> None:
    """Print a plan, and what the scheduler says of it; nothing else is done."""
    from trap_hpc.config import dump
    from trap_hpc.run.session.words import count

    preview = _preview(plan)
    if as_json:
        print_json(_record(plan, preview))
        return
    echo(f"run directory  {plan.directory}")
    echo(f"files          {len(plan.images)}: {_first_and_last(plan.images)}")
    echo(f"engine         {plan.engine}, {count(plan.workers, 'worker')}")
    echo(f"database       {plan.database or 'none but catalogue.sqlite'}")
    echo(f"monitoring     {count(len(plan.monitor), 'position')}")
    if plan.site and preview:
        _print_site(plan.site, preview)
    echo("\njob parameters, with where each comes from:\n")
    echo(dump(plan.parameters), nl=False)


def _preview(plan: Plan) -> Preview | None:
    if plan.site is None:
        return None
    from trap_hpc.run.session.preview import preview

    return preview(plan)


def _first_and_last(images: tuple[str, ...]) -> str:
    if len(images) <= 2:
        return ", ".join(images)
    return f"{images[0]} ... {images[-1]}"


def _print_site(sourced: SourcedSite, preview: Preview) -> None:
    from dataclasses import asdict

    from trap_hpc.config.tomlfile import toml_value

    site, origins = sourced.site, dict(sourced.origins)
    echo(f"site           {site.name} ({site.scheduler})")
    echo(f"jobs           {_jobs(preview)}")
    echo("\nsite, with where each value comes from:\n")
    rows = [(k, toml_value(v), origins[k]) for k, v in asdict(site).items()]
    print_rows(("key", "value", "from"), rows, left=range(3), widest=30)
    echo("\njob.sh:\n")
    echo("".join(f"    {line}\n" for line in preview.script.splitlines()))
    echo("submitted by:\n")
    for command in preview.commands:
        echo(f"    {shlex.join(command)}")
    verdict = "would take" if preview.accepted else "does not take"
    echo(f"\nthe scheduler {verdict} it: {preview.answer}")


def _jobs(preview: Preview) -> str:
    from trap_hpc.run.session.words import count

    each = "each with" if preview.jobs > 1 else "with"
    cores, workers = (count(preview.cores, noun) for noun in ("core", "worker"))
    return f"{preview.jobs}, {each} {cores} and {workers}"


def _record(plan: Plan, preview: Preview | None) -> dict[str, Any]:
    from dataclasses import asdict

    record = {
        "directory": str(plan.directory),
        "images": plan.images,
        "engine": plan.engine,
        "workers": plan.workers,
        "database": plan.database,
        "monitor": plan.monitor,
        "parameters": asdict(plan.parameters.parameters),
        "origins": dict(plan.parameters.origins),
    }
    if plan.site and preview:
        record["site"] = asdict(plan.site.site)
        record["site_origins"] = dict(plan.site.origins)
        record["preview"] = asdict(preview)
    return record

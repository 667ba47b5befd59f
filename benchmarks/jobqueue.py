"""The same images with dask-jobqueue: what its user writes.

``python -m benchmarks.jobqueue IMAGES RADIUS JOBS CORES DONE`` measures images with our
own pipeline in jobs of Slurm, and makes the file DONE when the first one is measured.
"""

# mypy: disable-error-code="no-untyped-call"
# (dask says little of its types)
from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

from dask.distributed import Client, as_completed
from dask_jobqueue.slurm import SLURMCluster

from trap_hpc.config.parameters import JobParameters
from trap_hpc.pipeline.images import read
from trap_hpc.pipeline.measure import measure


def measured(path: str, parameters: JobParameters) -> int:
    return len(measure(read(path), parameters).blind)


def main() -> None:
    images, radius, jobs, cores, done = sys.argv[1:]
    files = sorted(str(path) for path in Path(images).glob("*.fits"))
    made = JobParameters()
    extraction = replace(made.source_extraction, extraction_radius_pix=float(radius))
    parameters = replace(made, source_extraction=extraction)
    with (
        SLURMCluster(
            queue="main",
            cores=int(cores),
            processes=int(cores),
            memory="1GB",
            walltime="00:30:00",
            interface="eth0",
            local_directory="/tmp",
            log_directory=str(Path(done).parent),
        ) as cluster,
        Client(cluster) as client,
    ):
        cluster.scale(jobs=int(jobs))
        futures = client.map(measured, files, parameters=parameters)
        next(iter(as_completed(futures)))
        Path(done).touch()


if __name__ == "__main__":
    main()

"""Steps A and C for one image: what it shows, and what it owes to the catalogue."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np

from trap_hpc.config.parameters import JobParameters
from trap_hpc.pipeline.extract import extract
from trap_hpc.pipeline.finder.background import Cleared, clear
from trap_hpc.pipeline.finder.field import search_field
from trap_hpc.pipeline.finder.gaussians import beam_of
from trap_hpc.pipeline.force import force, no_fits
from trap_hpc.pipeline.images import Image
from trap_hpc.pipeline.quality import FLAT, NAN, reject, rms_qc
from trap_hpc.pipeline.records import ForcedImage, MeasuredImage, Rejection, Rows


def measure(image: Image, parameters: JobParameters) -> MeasuredImage:
    """Check the quality of ``image``, map its noise and extract its sources.

    Raises
    ------
    ImageError
        The image is too small to be measured with these parameters.
    """
    _keep_freed_memory()
    rms = rms_qc(image.pixels, parameters.persistence)
    measured = MeasuredImage(header=image.header, content=image.content, rms_qc=rms)
    cleared = reject(image, rms, parameters) or _cleared(image, parameters)
    if isinstance(cleared, Rejection):
        return replace(measured, rejection=cleared)
    beam = beam_of(image.header)
    return replace(
        measured,
        rms_min=float(cleared.noise.min()),
        rms_max=float(cleared.noise.max()),
        blind=extract(cleared, beam, image.sky, parameters.source_extraction),
    )


def force_image(image: Image, requests: Rows, parameters: JobParameters) -> ForcedImage:
    """Measure ``image`` at the places of ``requests`` (REQUEST rows).

    Raises
    ------
    ImageError
        The image is too small to be measured with these parameters.
    """
    _keep_freed_memory()
    cleared = _cleared(image, parameters)
    if isinstance(cleared, Rejection):
        fits = no_fits(requests)
    else:
        beam = beam_of(image.header)
        fits = force(cleared, beam, image.sky, requests, parameters.source_extraction)
    return ForcedImage(address=image.header.address, requests=requests, fits=fits)


def _cleared(image: Image, parameters: JobParameters) -> Cleared | Rejection:
    """Find the searched part of ``image`` and take its background away."""
    field = search_field(image.pixels, parameters.source_extraction)
    if field is None:
        return Rejection(reason=NAN, comment="no pixel that is searched is finite")
    cleared = clear(field, parameters.source_extraction)
    if cleared is None:
        return Rejection(
            reason=FLAT, comment="no tile is free of NaN and shows any noise"
        )
    return cleared


@lru_cache(maxsize=1)
def _keep_freed_memory() -> None:
    """Make the C library keep the memory of freed arrays for the next image.

    glibc gives blocks above a threshold back to the system, which hands them out again
    page by page: that can take as long as the work on a small image. It raises the
    threshold to the largest such block that it sees freed, up to 32 MB (mallopt(3)).
    """
    np.empty(32 * 2**20 - 2**16, dtype=np.uint8)

"""Steps A and C for one image: what it shows, and what it owes to the catalogue."""

from __future__ import annotations

from trap_hpc.config.parameters import JobParameters
from trap_hpc.pipeline.images import Image
from trap_hpc.pipeline.records import ForcedImage, MeasuredImage, Rows


def measure(image: Image, parameters: JobParameters) -> MeasuredImage:
    """Check the quality of ``image``, map its noise and extract its sources.

    Raises
    ------
    ImageError
        The image is too small to be measured with these parameters.
    """
    raise NotImplementedError


def force_image(image: Image, requests: Rows, parameters: JobParameters) -> ForcedImage:
    """Measure ``image`` at the places of ``requests`` (REQUEST rows).

    Raises
    ------
    ImageError
        The image is too small to be measured with these parameters.
    """
    raise NotImplementedError

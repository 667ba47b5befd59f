"""Step B: which extractions belong to one source, and which fits each image owes."""

from __future__ import annotations

from trap_hpc.pipeline.associate.associator import Associator
from trap_hpc.pipeline.associate.steps import MATCH, Sources, StepImage, TimeStep

__all__ = ["MATCH", "Associator", "Sources", "StepImage", "TimeStep"]

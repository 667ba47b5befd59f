"""The quality checks that need only the image itself."""

from __future__ import annotations

REASONS = {
    0: "RMS invalid",
    1: "beam invalid",
    2: "bright source near",
    3: "tau_time invalid",
    4: "contains NaN",
    5: "data is flat",
}
"""TraP's ``rejectreason``: what a `Rejection` names by its number."""

"""Run the Transients Pipeline over many images, cores and nodes."""

__version__ = "0.1.0"

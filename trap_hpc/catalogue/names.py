"""Names of the catalogue's files in a run directory."""

CATALOGUE_NAME = "catalogue.sqlite"
LIGHT_CURVES_NAME = "lightcurves.h5"

"""The catalogue: TraP's tables, one writer, exports and comparisons."""

"""What the user sets, each value with the place that it came from."""

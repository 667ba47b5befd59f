"""The private broker: a Redis server of the run's own."""

"""The private broker: a Redis server of the run's own.

`server` starts one, `guard` ends it, `leftovers` removes what a dead run left.
"""

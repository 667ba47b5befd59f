"""Faults on a real cluster: what a run must come through with the same catalogue.

``python -m tests.faults`` brings a cluster up, starts runs on it as a user does, breaks
something at random moments, and holds what comes out against a serial run.
"""

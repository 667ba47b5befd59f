"""The life of a run: plan, paths, ledger, driver."""

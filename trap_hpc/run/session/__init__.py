"""The life of a run on a cluster: up, connected, down."""

"""Words in, one call, words out, exit code. The only place that prints."""

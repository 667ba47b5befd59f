"""The science: pure functions over arrays and files, without any engine."""

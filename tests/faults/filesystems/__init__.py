"""File systems that do what real ones do on bad days: programs, by FUSE."""

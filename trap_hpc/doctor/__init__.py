"""One tiny real job that shows whether a site works, and what to do if it doesn't."""

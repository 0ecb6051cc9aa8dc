"""A static site: what sql/ has, what reads and writes what, and what ran."""

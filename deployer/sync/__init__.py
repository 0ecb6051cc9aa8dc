"""Brings an environment to what sql/ says: definitions and state -> plan -> render or apply."""

"""sql/ as objects: what each file creates, what it needs, and in which order to create it."""

from deployer.source.order import CycleError, dependencies, in_dependency_order
from deployer.source.tree import Name, SqlObject, load_tree

__all__ = ["CycleError", "Name", "SqlObject", "dependencies", "in_dependency_order", "load_tree"]

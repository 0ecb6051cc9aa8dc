"""Variables: what a block declares is seen by the blocks inside it, and by no procedure that it calls."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from embedded_bigquery.errors import InvalidQuery
from embedded_bigquery.types import Type


@dataclass(slots=True)
class Variable:
    type: Type
    value: Any = None  # as values.from_duckdb makes it
    sizes: tuple[int, ...] = ()  # of STRING(5) or NUMERIC(10, 2)


@dataclass(slots=True)
class Frame:
    """The variables of one block; a procedure's outermost frame has no parent."""

    parent: Frame | None = None
    variables: dict[str, Variable] = field(default_factory=dict)

    def declare(self, name: str, variable: Variable) -> None:
        key = name.lower()
        frame: Frame | None = self
        while frame is not None:
            # A variable of an enclosing block cannot be hidden by one of the same name.
            if key in frame.variables:
                raise InvalidQuery(f"Variable '{name}' redeclaration")
            frame = frame.parent
        self.variables[key] = variable

    def find(self, name: str) -> Variable | None:
        key = name.lower()
        frame: Frame | None = self
        while frame is not None:
            found = frame.variables.get(key)
            if found is not None:
                return found
            frame = frame.parent
        return None

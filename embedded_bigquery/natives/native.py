"""How a Python function is made known to DuckDB."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any


@dataclass(frozen=True, slots=True)
class Native:
    """A function by its DuckDB name, with DuckDB's names of the types that it takes and gives.

    `parameters` None: any number of arguments of any type.
    """

    name: str
    call: Callable[..., Any]
    parameters: tuple[str, ...] | None
    result: str
    sees_null: bool = False

    @property
    def function(self) -> Callable[..., Any]:
        """What DuckDB calls, NULL arguments included: left to itself it forbids a result of NULL."""
        if self.sees_null:
            return self.call

        @wraps(self.call)
        def strict(*arguments: Any) -> Any:
            return None if None in arguments else self.call(*arguments)

        return strict

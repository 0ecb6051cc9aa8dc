"""How a Python function is made known to DuckDB."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
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

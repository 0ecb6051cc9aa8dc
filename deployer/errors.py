"""What a user is told, in one paragraph, and the exit status that goes with it.

DeployerError               1   something failed while it ran
└── UsageError              2   the input is wrong: nothing was started, nothing was written
    └── SourceError         2   a file of sql/ is wrong; names file:line:column
"""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar


class DeployerError(Exception):
    """Base of what the commands report without a traceback."""

    exit_status: ClassVar[int] = 1


class UsageError(DeployerError):
    exit_status = 2


class SourceError(UsageError):
    def __init__(self, message: str, file: Path, line: int = 1, column: int = 1) -> None:
        """`line` and `column` count from 1."""
        super().__init__(f"{file}:{line}:{column}: {message}")
        self.file = file
        self.line = line
        self.column = column

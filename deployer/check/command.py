"""`deployer check`, from the words of the command line to its exit status."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path

import click

from deployer.check.checker import check
from deployer.check.formats import FORMATS

SHOWN_EVERY = 0.2  # seconds


def run_check(paths: Sequence[Path], form: str, *, fix: bool) -> int:
    """Prints the findings; raises UsageError."""
    reports = check(paths, fix=fix, on_done=_Progress())
    for line in FORMATS[form](reports):
        click.echo(line)
    return 1 if any(report.findings for report in reports) else 0


class _Progress:
    """A line on a terminal's stderr, which goes when all is done."""

    def __init__(self) -> None:
        self._next = time.monotonic() + SHOWN_EVERY  # a check that is done at once shows none

    def __call__(self, done: int, files: int) -> None:
        if not sys.stderr.isatty():
            return
        if done == files:
            click.echo("\r\x1b[K", err=True, nl=False)
        elif time.monotonic() >= self._next:
            self._next = time.monotonic() + SHOWN_EVERY
            click.echo(f"\r{done:,} of {files:,} files checked\x1b[K", err=True, nl=False)

"""benchmarks.engine: its table, of a month and without judging speeds."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

REPO = Path(__file__).parents[2]


def test_quick_run_prints_a_line_for_every_measure() -> None:
    command = [sys.executable, "-m", "benchmarks.engine", "--quick"]
    done = subprocess.run(command, cwd=REPO, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    head, rule, *lines = done.stdout.splitlines()
    assert (head, rule) == ("| measure | value | target | |", "|---|---|---|---|")
    assert len(lines) == 14
    assert sum("beside plain DuckDB" in line for line in lines) == 9

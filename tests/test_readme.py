"""README.md: every command in it runs, in the order of the page, in a fresh copy of the repository."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

REPO = Path(__file__).parents[1]
BLOCK = re.compile(r"(?:<!-- exit (?P<status>\d+) -->\n)?```bash\n(?P<text>.*?)```", re.DOTALL)


def test_every_command_of_the_readme_runs(tmp_path: Path) -> None:
    copy = tmp_path / "repository"
    files = subprocess.run(["git", "ls-files", "-z"], cwd=REPO, capture_output=True, check=True).stdout.split(b"\0")
    for name in filter(None, files):
        source, target = REPO / name.decode(), copy / name.decode()
        if source.is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(source.read_bytes())
    ran = 0
    for block in BLOCK.finditer((REPO / "README.md").read_text()):
        if "-m pytest" in block["text"]:
            continue  # this very suite; the test below holds it
        done = subprocess.run(["bash", "-c", block["text"]], cwd=copy, capture_output=True, text=True, timeout=240)
        assert done.returncode == int(block["status"] or 0), f"{block['text']}\n{done.stdout}\n{done.stderr}"
        ran += 1
    assert ran >= 6
    again = subprocess.run(["git", "diff", "--no-index", "--stat", REPO / "sql", copy / "sql"], capture_output=True)
    assert again.stdout == b"", "the tutorial ends with sql/ as it began"


def test_ci_runs_the_test_command_of_the_readme() -> None:
    [command] = [b["text"] for b in BLOCK.finditer((REPO / "README.md").read_text()) if "-m pytest" in b["text"]]
    assert command in (REPO / ".ci" / "run").read_text()

"""The repository that the delivery's files belong to."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # pytest's importlib mode puts no test folder there

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What git would check out of the work tree as it is now, in a folder of its own."""
    copy = tmp_path_factory.mktemp("checkout") / "sid"
    words = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(words, cwd=ROOT, capture_output=True, check=True).stdout.decode()
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, copy / name)
    return copy


@pytest.fixture(scope="session")
def tool() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs a command-line tool of this interpreter's environment in the repository's root."""

    def run(name: str, *words: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
        command = [str(Path(sys.executable).parent / name), *words]
        return subprocess.run(command, cwd=cwd, capture_output=True, text=True, stdin=subprocess.DEVNULL)

    return run


@pytest.fixture(scope="session")
def tasks(tool: Callable[..., subprocess.CompletedProcess[str]]) -> dict[str, str]:
    """The tasks that Invoke lists, with what it says of each."""
    listed = json.loads(tool("invoke", "--list", "--list-format=json").stdout)
    return {task["name"]: task["help"] for task in listed["tasks"]}

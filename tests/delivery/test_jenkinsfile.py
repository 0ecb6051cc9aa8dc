"""Jenkinsfile: every step that runs something runs a task of tasks.py."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

STRING = re.compile(r"'(?:[^'\\\n]|\\.)*'")


@pytest.fixture(scope="session")
def jenkinsfile(root: Path) -> str:
    return re.sub(r"^\s*//.*\n", "", (root / "Jenkinsfile").read_text(), flags=re.MULTILINE)


def test_every_sh_runs_a_task_that_exists(jenkinsfile: str, tasks: dict[str, str]) -> None:
    steps = re.findall(r"\bsh\b *(.*)", jenkinsfile)
    assert steps
    called = [re.fullmatch(r"'(?:.* && )?\.venv/bin/invoke ([a-z-]+)( --env (?:dev|prod))?'", step) for step in steps]
    assert all(called)
    assert {match[1] for match in called if match} <= set(tasks)


def test_stages_come_in_an_order_that_lets_nothing_unchecked_through(jenkinsfile: str) -> None:
    stages = re.findall(r"stage\('(\w+)'\)", jenkinsfile)
    assert stages == ["Lint", "Test", "Image", "Push", "Development", "Production"]
    assert jenkinsfile.index("input {") < jenkinsfile.index("local-deploy-gke --env prod")
    assert "invoke lint" in jenkinsfile  # which runs `sqlfluff lint sql/`, as test_tasks.py shows


def test_brackets_balance(jenkinsfile: str) -> None:
    closing = {")": "(", "]": "[", "}": "{"}
    opened: list[str] = []
    for character in STRING.sub("", jenkinsfile):
        if character in "([{":
            opened.append(character)
        elif character in closing:
            assert opened.pop() == closing[character]
    assert opened == []

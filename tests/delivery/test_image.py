"""Dockerfile and .dockerignore: what the image is made of, and what cannot get in."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

from docker.utils.build import exclude_paths


def instructions(root: Path) -> list[str]:
    """The Dockerfile's instructions, each on one line, without comments."""
    lines = [line for line in (root / "Dockerfile").read_text().splitlines() if not line.startswith("#")]
    return [line for line in "\n".join(lines).replace("\\\n", " ").splitlines() if line]


def final_stage(root: Path) -> list[str]:
    lines = instructions(root)
    return lines[max(place for place, line in enumerate(lines) if line.startswith("FROM ")) :]


def test_dockerfile_is_clean_for_hadolint(tool: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    done = tool("hadolint", "Dockerfile")
    assert (done.returncode, done.stdout) == (0, "")


def test_final_stage_runs_pipeline_as_a_numeric_user_and_builds_nothing(root: Path) -> None:
    lines = final_stage(root)
    assert "USER 10001:10001" in lines
    entrypoint = next(line for line in lines if line.startswith("ENTRYPOINT "))
    assert json.loads(entrypoint.removeprefix("ENTRYPOINT ")) == ["pipeline"]
    assert not [line for line in lines if line.startswith("RUN ") and re.search(r"\b(pip|apt-get|gcc)\b", line)]


def test_build_context_has_what_the_dockerfile_copies_and_no_key(root: Path, tmp_path: Path) -> None:
    kept = ["setup.py", "requirements.lock", "pyproject.toml", "deployer/cli.py", "embedded_bigquery/sql/dml.py"]
    kept += ["sql/sid/tables/dim_agent.sql", "sample_data/flights.parquet", "config/local.yaml"]
    left_out = ["keyscredentials/key.json", ".git/config", ".warehouse/sid.duckdb", ".venv/bin/python", ".env"]
    left_out += [
        "key.json",
        "config/key.json",
        "sql/key.json",
        "deployer/__pycache__/cli.pyc",
        "tests/test.py",
        "invoke.yaml",
        "config/__pycache__/x.pyc",
    ]
    for name in kept + left_out:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    patterns = [line for line in (root / ".dockerignore").read_text().splitlines() if line and line[0] != "#"]
    context = set(exclude_paths(str(tmp_path), patterns))
    assert {path for path in context if (tmp_path / path).is_file()} - {"Dockerfile", ".dockerignore"} == set(kept)
    copied = [word for line in instructions(root) if re.match(r"COPY (?!--from)", line) for word in line.split()[1:-1]]
    assert copied
    assert all((root / path).exists() and path.rstrip("/") in context for path in copied)


def test_a_planted_key_is_ignored_by_git(root: Path) -> None:
    asked = ["keyscredentials/key.json", "keyscredentials/deeper/key.json", "keyscredentials/README.md"]
    asked += ["keyscredentials/download_list.txt", "keyscredentials/.gitignore"]
    done = subprocess.run(["git", "check-ignore", "--no-index", *asked], cwd=root, capture_output=True, text=True)
    assert done.stdout.split() == asked[:2]

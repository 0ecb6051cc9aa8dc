"""setup.py and the requirements: what is pinned, what is shipped, and that it works without the repository."""

from __future__ import annotations

import re
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

Tool = Callable[..., subprocess.CompletedProcess[str]]
PIN = re.compile(r"^([\w.-]+)==([\w.+!-]+)", re.MULTILINE)


def pins(file: Path) -> dict[str, str]:
    return {str(canonicalize_name(name)): version for name, version in PIN.findall(file.read_text())}


@pytest.fixture(scope="session")
def locked(root: Path) -> dict[str, str]:
    return pins(root / "requirements.lock")


def test_lock_has_every_pin_with_hashes_and_no_index(root: Path, locked: dict[str, str]) -> None:
    assert pins(root / "requirements.txt").items() <= locked.items()
    text = (root / "requirements.lock").read_text()
    entries = re.split(r"^(?=[a-z0-9])", text, flags=re.MULTILINE)[1:]
    assert len(entries) == len(locked)
    assert all(re.search(r"--hash=sha256:[0-9a-f]{64}", entry) for entry in entries)
    assert "://" not in text


def test_lock_is_closed_under_what_its_packages_require(locked: dict[str, str]) -> None:
    missing = []
    for name in locked:
        try:
            lines = requires(name) or []
        except PackageNotFoundError:
            pytest.fail(f"{name} is locked but not installed: is it still needed? `invoke lock` tells")
        for line in lines:
            needed = Requirement(line)
            if needed.marker is None or needed.marker.evaluate({"extra": ""}):
                version = locked.get(str(canonicalize_name(needed.name)))
                if version is None or not needed.specifier.contains(version, prereleases=True):
                    missing.append(f"{name} requires {line}, locked is {version}")
    assert missing == []


def test_licence_of_every_dependency_is_listed(tool: Tool, root: Path, locked: dict[str, str]) -> None:
    listed = (root / "LICENCES.md").read_text()
    names = {str(canonicalize_name(name)) for name in re.findall(r"^\| ([\w.-]+)", listed, flags=re.MULTILINE)}
    development = re.findall(r"^([\w.-]+)(?:[=<>]|$)", (root / "dev-requirements.txt").read_text(), flags=re.MULTILINE)
    assert names == {"name"} | set(locked) | {str(canonicalize_name(name)) for name in development}
    assert "UNKNOWN" not in listed
    told = tool("pip-licenses", "--with-system", "--format", "markdown", "--no-version", "--packages", *names)
    assert told.stdout.split() == listed.split()


@pytest.fixture(scope="session")
def installed(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bin folder of an empty venv into which `pip install .` put the package, from a folder then taken away."""
    venv = tmp_path_factory.mktemp("empty") / "venv"
    subprocess.run([sys.executable, "-m", "venv", venv], check=True)
    subprocess.run([venv / "bin/pip", "install", "--quiet", "."], cwd=checkout, check=True)
    return venv / "bin"


@pytest.mark.delivery
def test_plain_install_publishes_the_sample_from_any_folder(installed: Path, root: Path, tmp_path: Path) -> None:
    (tmp_path / "deeper").mkdir()
    config = tmp_path / "deeper/config.yaml"
    config.write_text((root / "config/local.yaml").read_text())

    def run(*words: str) -> tuple[int, str]:
        environment = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}
        done = subprocess.run(
            [installed / words[0], *words[1:]], cwd=tmp_path, env=environment, capture_output=True, text=True
        )
        return done.returncode, done.stdout + done.stderr

    status, output = run("pipeline", "20130107", "sid_fct_departure", "delta", "deeper/config.yaml")
    assert status == 0, output
    assert "933 published" in output
    assert run("deployer", "plan", str(config))[0] == 0
    assert "sid_fct_departure" in run("deployer", "runs", str(config))[1]
    assert run("pip", "check") == (0, "No broken requirements found.\n")
    assert (tmp_path / ".warehouse/sid.duckdb").exists()


@pytest.mark.delivery
def test_wheel_of_the_sdist_has_sql_and_sample(checkout: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "build", "--outdir", str(tmp_path)]  # the wheel is built from the sdist
    subprocess.run(command, cwd=checkout, check=True, stdout=subprocess.DEVNULL)
    [wheel], [sdist] = tmp_path.glob("*.whl"), tmp_path.glob("*.tar.gz")
    names = set(zipfile.ZipFile(wheel).namelist())
    for folder in ("sql", "sample_data"):
        shipped = {name.removeprefix("deployer/") for name in names if name.startswith(f"deployer/{folder}/")}
        files = {str(path.relative_to(checkout)) for path in (checkout / folder).rglob("*") if path.is_file()}
        assert shipped == files
    assert {name.split("/")[0] for name in names} == {
        "deployer",
        "embedded_bigquery",
        wheel.name.removesuffix("-py3-none-any.whl") + ".dist-info",
    }
    with tarfile.open(sdist) as archive:
        assert f"{sdist.name.removesuffix('.tar.gz')}/sql/README.md" in archive.getnames()

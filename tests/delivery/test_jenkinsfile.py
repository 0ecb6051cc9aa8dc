"""Jenkinsfile: executed with a stub of the declarative DSL that records stages and commands, which are then run."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

GROOVY = Path("/usr/share/java/groovy-all.jar")
Event = dict[str, Any]


def test_every_sh_runs_a_task_that_exists(root: Path, tasks: dict[str, str]) -> None:
    steps = re.findall(r"\bsh\b *(.*)", re.sub(r"^//.*\n", "", (root / "Jenkinsfile").read_text(), flags=re.MULTILINE))
    assert len(steps) > 8
    called = [re.fullmatch(r"'(?:.* && )?\.venv/bin/invoke ([a-z-]+)(?: --\w+ \w+)?'", step) for step in steps]
    assert all(called)
    assert {match[1] for match in called if match} <= set(tasks)


@pytest.fixture(scope="session")
def build(root: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Executes a Jenkinsfile for a branch."""
    if shutil.which("java") is None or not GROOVY.exists():
        pytest.skip("Groovy missing: apt-get install groovy default-jre-headless")

    def run(branch: str, file: Path = root / "Jenkinsfile") -> subprocess.CompletedProcess[str]:
        stub = str(Path(__file__).parent / "jenkins.groovy")
        words = ["java", "-cp", str(GROOVY), "groovy.ui.GroovyMain", stub, str(file), branch]
        return subprocess.run(words, capture_output=True, text=True, stdin=subprocess.DEVNULL)

    return run


@pytest.fixture(scope="session")
def events(build: Callable[..., subprocess.CompletedProcess[str]]) -> Callable[[str], list[Event]]:
    def of(branch: str) -> list[Event]:
        done = build(branch)
        assert done.returncode == 0, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]

    return of


def commands(recorded: list[Event]) -> list[tuple[str, str]]:
    """Stage and command of each `sh`."""
    return [(event["stage"], event["with"]) for event in recorded if event.get("step") == "sh"]


@pytest.mark.delivery
def test_main_goes_to_production_after_plan_and_approval(events: Callable[[str], list[Event]]) -> None:
    recorded = events("main")
    tasks = [(stage, command.split("invoke ")[1]) for stage, command in commands(recorded)]
    assert tasks == [
        ("Lint", "lint"),
        ("Lint", "check"),
        ("Test", "test --reports reports"),
        ("Image", "make-docker-image"),
        ("Image", "test-docker-local"),
        ("Push", "deploy-docker-image"),
        ("Development", "plan --env dev"),
        ("Development", "sync --env dev"),
        ("Development", "local-deploy-gke --env dev"),
        ("Plan of production", "plan --env prod"),
        ("Production", "sync --env prod"),
        ("Production", "local-deploy-gke --env prod"),
    ]
    asked = next(place for place, event in enumerate(recorded) if event.get("input") == "message")
    places = [place for place, event in enumerate(recorded) if event.get("step") == "sh"]
    assert places[-3] < asked < places[-2]


@pytest.mark.delivery
def test_another_branch_is_built_and_deployed_nowhere(events: Callable[[str], list[Event]]) -> None:
    recorded = events("feature")
    assert {stage for stage, _ in commands(recorded)} == {"Lint", "Test", "Image"}
    assert not [event for event in recorded if "input" in event]


@pytest.mark.delivery
def test_builds_do_not_overlap_and_end_in_time_and_keep_their_reports(events: Callable[[str], list[Event]]) -> None:
    recorded = events("main")
    assert [event for event in recorded if event.get("options") == "disableConcurrentBuilds"]
    stages = {event["stage"] for event in recorded if event.get("begin") == "stage"}
    timed = {event["stage"] for event in recorded if event.get("options") == "timeout"}
    assert timed == stages | {None}
    kept = {event["step"]: event["with"] for event in recorded if event.get("stage") == "Test" and "step" in event}
    assert kept["junit"] == "reports/junit.xml"
    assert kept["recordCoverage"]["tools"][0]["pattern"] == "reports/coverage.xml"
    assert kept["archiveArtifacts"]["artifacts"] == "reports/**"
    assert recorded[-1]["step"] == "deleteDir"  # no key stays on the agent


@pytest.mark.delivery
def test_credentials_are_bound_where_a_cloud_is_used_and_nowhere_else(events: Callable[[str], list[Event]]) -> None:
    bound: set[str] = set()
    used: dict[str, set[str]] = {}
    for event in events("main"):
        if event.get("begin") == "withCredentials":
            bound = {binding["credentialsId"] for binding in event["with"]}
        elif event.get("end") == "withCredentials":
            bound = set()
        elif event.get("step") == "sh":
            used[event["with"].split("invoke ")[1]] = bound
    local = ("lint", "check", "test --reports reports", "test-docker-local")
    assert used == {
        **{command: set() for command in local},
        **{command: {"sid-ci"} for command in ("make-docker-image", "deploy-docker-image")},
        **{f"{task} --env {env}": {f"sid-deployer-{env}"} for env in ("dev", "prod") for task in ("plan", "sync")},
        **{f"local-deploy-gke --env {env}": {f"sid-deployer-{env}"} for env in ("dev", "prod")},
    }


@pytest.mark.delivery
@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("disableConcurrentBuilds()", "disableConcurentBuilds()", "options: there is no disableConcurentBuilds"),
        ("            steps {", "            step {", "stage: there is no step"),
        ("sh '.venv/bin/invoke check'", "bash 'invoke check'", "steps: there is no bash"),
        ("    agent { label 'sid' }\n", "", "pipeline: [agent] missing"),
        ("message 'Deploy what", "mesage 'Deploy what", "input: there is no mesage"),
        ("deleteDir()\n        }", "deleteDir()\n", "expecting '}'"),
    ],
)
def test_a_fault_in_the_jenkinsfile_is_found(
    build: Callable[..., subprocess.CompletedProcess[str]], root: Path, tmp_path: Path, old: str, new: str, message: str
) -> None:
    text = (root / "Jenkinsfile").read_text()
    assert old in text
    file = tmp_path / "Jenkinsfile"
    file.write_text(text.replace(old, new))
    done = build("main", file)
    assert done.returncode != 0
    assert message in done.stderr


HELM = '''#!{python}
"""Helm, as far as the task uses it: renders what an installation would send, and tells the objects."""
import argparse, pathlib, yaml
from helm_python.chart import Chart
parser = argparse.ArgumentParser()
for name in ("kube-context", "namespace", "values", "timeout"):
    parser.add_argument(f"--{{name}}", required=name != "values")
for name in ("set-string", "set-file"):
    parser.add_argument(f"--{{name}}", action="append", default=[])
for name in ("install", "create-namespace", "wait", "wait-for-jobs"):
    parser.add_argument(f"--{{name}}", action="store_true")
parser.add_argument("words", nargs=3)
given = parser.parse_args()
assert given.words[0] == "upgrade" and given.install and given.wait
values = yaml.safe_load(pathlib.Path(given.values).read_text())
values |= dict(pair.split("=", 1) for pair in given.set_string)
values |= {{key: pathlib.Path(file).read_text() for key, file in (pair.split("=", 1) for pair in given.set_file)}}
with Chart.load(given.words[2]) as chart:
    chart.validate_schema(values)
    files = chart.render(values, name=given.words[1], namespace=given.namespace, revision=1)
for name, text in files.items():
    if name.endswith(".yaml"):
        for manifest in yaml.safe_load_all(text):
            if manifest:
                print(manifest["kind"], manifest["metadata"]["name"])
'''


@dataclass
class Workspace:
    """A checkout on an agent, whose environments are embedded warehouses behind BigQuery's API on loopback."""

    folder: Path
    environment: dict[str, str]

    def sh(self, command: str) -> subprocess.CompletedProcess[str]:
        words = ["sh", "-c", command]
        return subprocess.run(words, cwd=self.folder, env=self.environment, capture_output=True, text=True)


@contextmanager
def emulated(folder: Path, environment: str) -> Iterator[None]:
    """Serves an environment's warehouse, and puts its address into the config."""
    path = str(folder / f"{environment}.duckdb")
    words = [sys.executable, "-m", "deployer.cli", "emulate", "--port", "0", "--path", path]
    words += ["--project", f"example-sid-{environment}"]
    server = subprocess.Popen(words, cwd=folder, stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        address = re.findall(r"http://[\d.:]+", server.stdout.readline())[0]
        config = folder / f"config/{environment}.yaml"
        config.write_text(config.read_text().replace("  location: EU\n", f"  location: EU\n  endpoint: {address}\n"))
        yield
    finally:
        server.terminate()
        server.wait()


@pytest.fixture
def workspace(delivery: dict[str, str], checkout: Path, tmp_path: Path) -> Iterator[Workspace]:
    folder = tmp_path / "workspace"
    shutil.copytree(checkout, folder, ignore=shutil.ignore_patterns("planted.json"))
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "helm").write_text(HELM.format(python=sys.executable))
    (tools / "helm").chmod(0o755)
    environment = {**delivery, "PATH": f"{tools}:{delivery['PATH']}"}
    # The suite has its own run; here a small part of it shows that the reports are written.
    environment["PYTEST_ADDOPTS"] = "-n 0 tests/delivery/test_configs.py"
    with emulated(folder, "dev"), emulated(folder, "prod"):
        yield Workspace(folder, environment)


@pytest.mark.delivery
def test_every_recorded_command_runs(events: Callable[[str], list[Event]], workspace: Workspace) -> None:
    told = {}
    for stage, command in commands(events("main")):
        done = workspace.sh(command)
        codes = set(re.findall(r"^sql/\S+: (\w+) ", done.stdout, flags=re.MULTILINE))
        if command.endswith("invoke check") and codes == {"HR10"}:
            continue  # the pipeline is right to stop here as long as a procedure has no *.test.sql
        assert done.returncode == 0, f"{stage}: {command}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
        told[command.split("invoke ")[1]] = done.stdout
    assert {file.name for file in (workspace.folder / "reports").iterdir()} == {"junit.xml", "coverage.xml"}
    assert "933 published" in told["test-docker-local"]
    for environment in ("dev", "prod"):
        assert "sid.sid_fct_departure_publish" in told[f"plan --env {environment}"]
        assert "Job sid-publisher-job-sync" in told[f"local-deploy-gke --env {environment}"]
        assert "CronJob sid-publisher-job" in told[f"local-deploy-gke --env {environment}"]
        again = workspace.sh(f".venv/bin/invoke plan --env {environment}")
        assert again.returncode == 0
        assert "Nothing to do" in again.stdout

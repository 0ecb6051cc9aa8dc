"""The Invoke tasks that build, test and deploy. `invoke TASK --dry` prints a task's commands and runs none."""

from __future__ import annotations

import json
import os
import re
import shlex
import sys
from pathlib import Path

from invoke.context import Context
from invoke.exceptions import Exit
from invoke.tasks import task

ROOT = Path(__file__).parent
RELEASE = "sid-publisher-job"
TRANSFER = "sid_fct_departure"
SAMPLE_DAY = "20130107"  # within sample_data/
ENV_HELP = "local, dev or prod"


@task
def make_docker_image(c: Context) -> None:
    """Builds the image, and downloads the key files that keyscredentials/download_list.txt names."""
    for key in _listed_keys():
        _run(c, "gcloud", "storage", "cp", f"gs://{c.keys_bucket}/{key}", f"keyscredentials/{key}")
    _run(c, "docker", "build", "--tag", _image(c), ".")


@task(help={"test_execution_date": f"YYYYMMDD (default: {SAMPLE_DAY})", "env": ENV_HELP})
def test_docker_local(c: Context, test_execution_date: str = SAMPLE_DAY, env: str = "local") -> None:
    """Publishes one day in a container; `local` needs neither network nor cloud."""
    if not re.fullmatch(r"\d{8}", test_execution_date):
        raise Exit(f"--test-execution-date {test_execution_date!r} is no date YYYYMMDD.", code=2)
    environment = _environment(c, env)
    words = ["docker", "run", "--rm", "--read-only", "--cap-drop", "ALL", "--tmpfs", "/tmp"]
    if env == "local":
        words += ["--network", "none", "--tmpfs", "/app/.warehouse"]
    else:
        key = f"/app/keyscredentials/{environment['key']}"
        source = ROOT / "keyscredentials" / environment["key"]
        words += ["--mount", f"type=bind,source={source},target={key},readonly"]
        words += ["--env", f"GOOGLE_APPLICATION_CREDENTIALS={key}"]
    _run(c, *words, _image(c), test_execution_date, TRANSFER, "delta", f"/app/config/{env}.yaml")


@task
def deploy_docker_image(c: Context) -> None:
    """Pushes the image to the registry of the datalake."""
    _run(c, "docker", "push", _image(c))


@task(help={"env": ENV_HELP, "sql_proxy": "run the Cloud SQL proxy beside the pipeline"})
def local_deploy_gke(c: Context, env: str = "local", sql_proxy: bool = False) -> None:
    """Deploys the procedures, then the chart, from this machine, and waits until both stand."""
    environment = _environment(c, env)
    config = f"config/{env}.yaml"
    words = ["helm", "upgrade", RELEASE, "gke_deploy", "--install", "--kube-context", environment["context"]]
    words += ["--namespace", environment["namespace"], "--create-namespace"]
    if env != "local":
        # A pod never calls a procedure that is not there yet; `local` makes a warehouse of its own in each pod.
        _run(c, "deployer", "sync", config)
        words += ["--values", f"gke_deploy/values-{env}.yaml"]
    words += ["--set-string", f"image={_image(c)}", "--set-file", f"config={config}"]
    if sql_proxy:
        words += ["--set", "sqlProxy.enabled=true"]
    _run(c, *words, "--wait", "--wait-for-jobs", "--timeout", "30m")


@task
def lint(c: Context) -> None:
    """Checks style, types, SQL and import directions."""
    _run(c, "ruff", "check", ".")
    _run(c, "ruff", "format", "--check", ".")
    _run(c, "mypy")
    _run(c, "sqlfluff", "lint", "sql/")
    _run(c, "lint-imports")


@task
def test(c: Context) -> None:
    """Runs the test suite."""
    _run(c, "python", "-m", "pytest", "-q")


@task
def bench(c: Context) -> None:
    """Times `pipeline` for one day of the sample, whole process, on a warehouse that exists."""
    words = ["pipeline", SAMPLE_DAY, TRANSFER, "delta", "config/local.yaml"]
    _run(c, *words)
    statement = f"run({json.dumps(words)}, check=True, stdout=DEVNULL)"
    _run(c, "python", "-m", "timeit", "-n1", "-r5", "-s", "from subprocess import DEVNULL, run", statement)


def _run(c: Context, *words: str) -> None:
    """Runs a command with the tools of the interpreter that runs Invoke."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    with c.cd(ROOT):
        c.run(shlex.join(words), env={"PATH": path})


def _image(c: Context) -> str:
    version = re.findall(r'__version__ = "(.+)"', (ROOT / "deployer/__version__.py").read_text())[0]
    return f"{c.image}:{version}"


def _environment(c: Context, env: str) -> dict[str, str]:
    known = c.environments
    if env not in known:
        raise Exit(f"--env {env!r} is none of {', '.join(known)}.", code=2)
    return dict(known[env])


def _listed_keys() -> list[str]:
    lines = (ROOT / "keyscredentials/download_list.txt").read_text().splitlines()
    keys = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    for key in keys:
        if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9._-]*\.json", key):
            raise Exit(f"keyscredentials/download_list.txt: {key!r} is no file name that ends in .json.", code=2)
    return keys

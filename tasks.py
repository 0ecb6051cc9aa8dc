"""The Invoke tasks that build, test and deploy. `invoke TASK --dry` prints a task's commands and runs none."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

from invoke.context import Context
from invoke.exceptions import Exit
from invoke.tasks import task

ROOT = Path(__file__).parent
RELEASE = "sid-publisher-job"
TRANSFERS = ("sid_dim_agent", "sid_fct_departure", "sid_agg_agent_daily")
TRANSFER = "sid_fct_departure"
SAMPLE_DAY = "20130107"  # within sample_data/
CHANGES = 3  # `deployer plan` found some
ENV_HELP = "local, dev or prod"


@task
def make_docker_image(c: Context) -> None:
    """Downloads the keys, and builds the image without them."""
    for key in _listed_keys():
        file = f"keyscredentials/{key}"
        if c.keys.startswith("gs://"):
            _run(c, "gcloud", "storage", "cp", f"{c.keys}/{key}", file)
        else:
            secret = ["gcloud", "secrets", "versions", "access", "latest", "--secret", key.removesuffix(".json")]
            _run(c, *secret, "--project", c.keys.removeprefix("secretmanager://"), "--out-file", file)
        _run(c, "chmod", "600", file)
    version, revision = _version(), _git("rev-parse", "HEAD")
    labels = ["--build-arg", f"VERSION={version}", "--build-arg", f"REVISION={revision or 'unknown'}"]
    _run(c, "docker", "build", *shlex.split(c.build_options), *labels, "--tag", _image(c), ".")


@task(help={"test_execution_date": f"YYYYMMDD (default: {SAMPLE_DAY})", "env": ENV_HELP})
def test_docker_local(c: Context, test_execution_date: str = SAMPLE_DAY, env: str = "local") -> None:
    """Publishes one day in a container of the image."""
    if not re.fullmatch(r"\d{8}", test_execution_date):
        raise Exit(f"--test-execution-date {test_execution_date!r} is no date YYYYMMDD.", code=2)
    environment = _environment(c, env)
    words = ["docker", "run", "--rm", "--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges"]
    words += ["--tmpfs", "/tmp"]
    if env == "local":
        words += ["--network", "none", "--tmpfs", "/app/.warehouse"]
    else:
        source = ROOT / "keyscredentials" / environment["key"]
        if not source.exists() and not c.config.run.dry:
            advice = "name it in keyscredentials/download_list.txt and run `invoke make-docker-image`"
            raise Exit(f"{source} is missing; {advice}.", code=2)
        key = f"/app/keyscredentials/{environment['key']}"
        # The key is readable by its owner alone, so the container runs as that.
        words += ["--user", f"{os.getuid()}:{os.getgid()}"]
        words += ["--mount", f"type=bind,source={source},target={key},readonly"]
        words += ["--env", f"GOOGLE_APPLICATION_CREDENTIALS={key}"]
    _run(c, *words, _image(c), test_execution_date, TRANSFER, "delta", f"/app/config/{env}.yaml")


@task
def deploy_docker_image(c: Context) -> None:
    """Pushes the image to the registry of the datalake."""
    _run(c, "docker", "push", _image(c))


@task(help={"env": ENV_HELP, "sql_proxy": "run the Cloud SQL proxy beside the pipeline"})
def local_deploy_gke(c: Context, env: str = "local", sql_proxy: bool = False) -> None:
    """Installs or upgrades the chart on Kubernetes."""
    environment = _environment(c, env)
    words = ["helm", "upgrade", RELEASE, "gke_deploy", "--install", "--kube-context", environment["context"]]
    words += ["--namespace", environment["namespace"], "--create-namespace"]
    if env != "local":
        words += ["--values", f"gke_deploy/values-{env}.yaml"]
    words += ["--set-string", f"image={_image(c)}", "--set-file", f"config=config/{env}.yaml"]
    if sql_proxy:
        words += ["--set", "sqlProxy.enabled=true"]
    _run(c, *words, "--wait", "--wait-for-jobs", "--timeout", "30m")


@task(help={"env": ENV_HELP})
def plan(c: Context, env: str = "local") -> None:
    """Shows what `sync` would change."""
    _environment(c, env)
    _run(c, "deployer", "plan", f"config/{env}.yaml", accepted=(0, CHANGES))


@task(help={"env": ENV_HELP})
def sync(c: Context, env: str = "local") -> None:
    """Brings an environment to what sql/ says."""
    _environment(c, env)
    _run(c, "deployer", "sync", f"config/{env}.yaml")


@task
def demo(c: Context) -> None:
    """Publishes a week of the sample on this machine."""
    for transfer in TRANSFERS:
        _run(c, "pipeline", "20130109", transfer, "delta", "config/local.yaml", "--delta_start_date", "20130103")
    _run(c, "deployer", "runs", "config/local.yaml")


@task
def lint(c: Context) -> None:
    """Checks style, types, SQL and import directions."""
    _run(c, "ruff", "check", ".")
    _run(c, "ruff", "format", "--check", ".")
    _run(c, "mypy")
    _run(c, "sqlfluff", "lint", "sql/")
    _run(c, "lint-imports")
    _run(c, "hadolint", "Dockerfile")


@task
def check(c: Context) -> None:
    """Checks sql/ with GoogleSQL's own analyzer."""
    _run(c, "deployer", "check", "sql/")


@task(help={"reports": "a folder for junit.xml and coverage.xml"})
def test(c: Context, reports: str = "") -> None:
    """Runs the test suite."""
    words = ["python", "-m", "pytest", "-q"]
    if reports:
        packages = ["--cov", "deployer", "--cov", "embedded_bigquery"]
        words += ["--junitxml", f"{reports}/junit.xml", *packages, "--cov-report", f"xml:{reports}/coverage.xml"]
    _run(c, *words)


@task
def test_delivery(c: Context) -> None:
    """Runs the tests that build the package and the image."""
    _run(c, "python", "-m", "pytest", "-q", "-rs", "-n", "0", "-m", "delivery")


@task
def bench(c: Context) -> None:
    """Times `pipeline` for one day of the sample."""
    words = ["pipeline", SAMPLE_DAY, TRANSFER, "delta", "config/local.yaml"]
    _run(c, *words)
    statement = f"run({json.dumps(words)}, check=True, stdout=DEVNULL)"
    _run(c, "python", "-m", "timeit", "-n1", "-r5", "-s", "from subprocess import DEVNULL, run", statement)


@task
def docs(c: Context) -> None:
    """Writes a site of sql/ and its runs to build/docs."""
    _run(c, "deployer", "docs", "config/local.yaml", "--output", "build/docs")


@task
def lock(c: Context) -> None:
    """Writes requirements.lock and LICENCES.md."""
    words = ["uv", "pip", "compile", "--quiet", "--generate-hashes", "--no-annotate", "--upgrade"]
    words += ["--python-version", "3.11", "--python-platform", "linux", "--custom-compile-command", "invoke lock"]
    _run(c, *words, "--output-file", "requirements.lock", "requirements.txt")
    words = ["pip-licenses", "--with-system", "--format", "markdown", "--no-version", "--output-file", "LICENCES.md"]
    named = _text("requirements.lock") + _text("dev-requirements.txt")
    names = re.findall(r"^([\w.-]+)(?:[=<>]|$)", named, flags=re.MULTILINE)
    _run(c, *words, "--packages", *sorted(set(names)))


def _run(c: Context, *words: str, accepted: tuple[int, ...] = (0,)) -> None:
    """Runs a command with the tools of the interpreter that runs Invoke."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    with c.cd(ROOT):
        done = c.run(shlex.join(words), env={"PATH": path, "DOCKER_BUILDKIT": "1"}, warn=True)
    if done is not None and done.exited not in accepted:
        raise Exit(code=done.exited)


def _image(c: Context) -> str:
    """The image's name, with a tag that is never used twice for different content."""
    commit = _git("describe", "--always", "--dirty", "--abbrev=12", "--exclude", "*")
    return f"{c.image}:{_version()}{commit and '-' + commit}"


def _version() -> str:
    return str(re.findall(r'__version__ = "(.+)"', _text("deployer/__version__.py"))[0])


def _git(*words: str) -> str:
    """What git says, or nothing where there is no repository."""
    try:
        return subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True).stdout.strip()
    except FileNotFoundError:
        return ""


def _text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def _environment(c: Context, env: str) -> dict[str, str]:
    known = c.environments
    if env not in known:
        raise Exit(f"--env {env!r} is none of {', '.join(known)}.", code=2)
    return dict(known[env])


def _listed_keys() -> list[str]:
    lines = _text("keyscredentials/download_list.txt").splitlines()
    keys = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    for key in keys:
        if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9._-]*\.json", key):
            raise Exit(f"keyscredentials/download_list.txt: {key!r} is no file name that ends in .json.", code=2)
    return keys

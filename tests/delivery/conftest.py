"""The repository that the delivery's files belong to."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # pytest's importlib mode puts no test folder there

import docker_engine
from docker_engine import Engine

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


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    reason = docker_engine.missing()
    if reason:
        pytest.skip(reason)
    with docker_engine.running(tmp_path_factory.mktemp("engine")) as started:
        docker_engine.import_base(started)
        yield started


@pytest.fixture(scope="session")
def registry(engine: Engine) -> Iterator[str]:
    """The address of a registry on loopback, which Docker takes without TLS."""
    if not shutil.which("docker-registry"):
        pytest.skip("docker-registry missing: apt-get install docker-registry")
    config = engine.folder / "registry.yml"
    content = {
        "version": 0.1,
        "storage": {"filesystem": {"rootdirectory": str(engine.folder / "registry")}},
        "http": {"addr": "127.0.0.1:0"},
    }
    config.write_text(json.dumps(content))
    words = ["docker-registry", "serve", str(config)]
    process = subprocess.Popen(words, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    assert process.stderr is not None
    for line in process.stderr:
        if "listening on" in line:
            break
    else:
        pytest.fail("docker-registry does not start")
    address = line.split("listening on ")[1].split('"')[0].split(",")[0].strip()
    threading.Thread(target=process.stderr.read, daemon=True).start()
    yield address
    process.terminate()
    process.wait()


@pytest.fixture(scope="session")
def planted(checkout: Path) -> str:
    """The text of key files that someone left in the checkout."""
    key = "planted-private-key-5f0c1e"
    for folder in ("keyscredentials", "config", "deployer", "sql", "."):
        (checkout / folder / "planted.json").write_text(f'{{"private_key": "{key}"}}')
    return key


@pytest.fixture(scope="session")
def delivery(engine: Engine, registry: str, root: Path) -> Iterator[dict[str, str]]:
    """The environment in which the tasks use the tests' engine, base, package index and registry."""
    with docker_engine.index_of_wheels(engine.folder, root / "requirements.lock") as pip_conf:
        options = f"--network host --build-arg BASE={docker_engine.BASE} --secret id=pip.conf,src={pip_conf}"
        yield {**engine.environment, "INVOKE_BUILD_OPTIONS": options, "INVOKE_IMAGE": f"{registry}/sid"}


@pytest.fixture(scope="session")
def task(delivery: dict[str, str], checkout: Path, planted: str) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs a task in the checkout."""

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        command = [str(Path(sys.executable).parent / "invoke"), *words]
        return subprocess.run(command, cwd=checkout, env=delivery, capture_output=True, text=True)

    return run

"""The image: really built by the tasks, and really run, in a Docker engine of the tests' own."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import tarfile
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from docker_engine import BASE, Engine

from deployer.__version__ import __version__

pytestmark = pytest.mark.delivery

LOCKED_DOWN = ("--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--network", "none")
DAY = ("20130107", "sid_fct_departure", "delta")
Task = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def image(engine: Engine, task: Task, registry: str) -> str:
    done = task("make-docker-image")
    assert done.returncode == 0, done.stderr[-3000:]
    return f"{registry}/sid:{__version__}"


def test_image_has_labels_a_numeric_user_and_the_command_in_exec_form(engine: Engine, image: str) -> None:
    [found] = json.loads(engine.asked("image", "inspect", image))
    config = found["Config"]
    assert config["User"] == "10001:10001"
    assert config["Entrypoint"] == ["pipeline"]
    assert config["Labels"]["org.opencontainers.image.version"] == __version__
    assert config["Labels"]["org.opencontainers.image.revision"] == "unknown"  # the checkout has no history
    assert set(config["Volumes"]) == {"/app/.warehouse"}


def test_image_is_at_most_350_mb_above_its_base(engine: Engine, image: str) -> None:
    sizes = [int(engine.asked("image", "inspect", "--format", "{{.Size}}", name)) for name in (image, BASE)]
    added = (sizes[0] - sizes[1]) / 1e6
    print(f"the image adds {added:.0f} MB to its base")
    assert 100 < added < 350


def test_final_stage_has_no_pip_of_its_own_no_compiler_and_no_cache(engine: Engine, image: str) -> None:
    paths = "/opt/sid/bin/pip /opt/sid/bin/pip3 /root/.cache ~/.cache /build"
    script = f"command -v gcc cc make; ls -d {paths} 2>/dev/null; true"
    words = ("run", "--rm", *LOCKED_DOWN, "--entrypoint", "sh", image, "-c", script)
    assert engine.asked(*words) == ""


def test_every_package_can_be_named_by_a_software_bill(engine: Engine, image: str, checkout: Path) -> None:
    code = "import importlib.metadata as m; print(*sorted(f'{d.name}=={d.version}' for d in m.distributions()))"
    words = ("run", "--rm", *LOCKED_DOWN, "--entrypoint", "/opt/sid/bin/python", image, "-c", code)
    found = {line.replace("_", "-").lower() for line in engine.asked(*words).split()}
    locked = {line.split(" ")[0] for line in (checkout / "requirements.lock").read_text().splitlines() if "==" in line}
    assert found == locked | {f"sid-publisher-job=={__version__}"}


def test_no_layer_has_a_key_or_the_package_index(engine: Engine, image: str, planted: str) -> None:
    index = (engine.folder / "pip.conf").read_text().split("find-links = ")[1].split()[0]
    saved = engine.folder / "image.tar"
    engine.asked("save", "--output", str(saved), image)
    searched = 0
    for name, content in members(saved.read_bytes()):
        for word in (planted, index, "planted.json"):
            assert word.encode() not in content, f"{word} in {name}"
            assert word not in name
        searched += 1
    assert searched > 1000


def members(archive: bytes) -> Iterator[tuple[str, bytes]]:
    """Every file of the image's archive, layers unpacked."""
    with tarfile.open(fileobj=io.BytesIO(archive)) as outer:
        for member in outer:
            file = outer.extractfile(member) if member.isfile() else None
            if file is None:
                continue
            content = file.read()
            if member.name.endswith(".tar"):
                yield from members(content)
            else:
                yield member.name, content


def test_image_publishes_the_sample_without_network_rights_or_a_writable_root(engine: Engine, image: str) -> None:
    done = engine.docker("run", "--rm", *LOCKED_DOWN, image, *DAY, "/app/config/local.yaml")
    assert done.returncode == 0, done.stderr
    last = [json.loads(line) for line in done.stdout.splitlines() if '"NOTICE"' in line][-1]
    assert (last["rows_in"], last["rows_published"]) == (933, 933)


def test_task_publishes_another_day_in_a_container(task: Task, image: str) -> None:
    done = task("test-docker-local", "--test-execution-date", "20130103")
    assert done.returncode == 0, done.stderr
    assert "published sid_fct_departure for 2013-01-03" in done.stdout


def test_task_passes_on_the_exit_status_of_the_container(task: Task, image: str) -> None:
    assert task("test-docker-local", "--test-execution-date", "20121231").returncode == 2


def test_task_pushes_the_image(task: Task, image: str, registry: str) -> None:
    done = task("deploy-docker-image")
    assert done.returncode == 0, done.stderr
    with urllib.request.urlopen(f"http://{registry}/v2/sid/tags/list") as answer:
        assert json.load(answer)["tags"] == [__version__]


@pytest.fixture
def endless(checkout: Path, tmp_path: Path) -> Path:
    """A folder with a config whose transfer's first step never ends."""
    shutil.copytree(checkout / "sql", tmp_path / "sql", ignore=shutil.ignore_patterns("*.json"))
    shutil.copytree(checkout / "config", tmp_path / "config", ignore=shutil.ignore_patterns("*.json"))
    (tmp_path / ".warehouse").mkdir()
    for folder in (tmp_path, *(path for path in tmp_path.rglob("*") if path.is_dir())):
        folder.chmod(0o777)
    file = tmp_path / "sql/sid/procedures/sid_fct_departure_cleanse.sql"
    text = file.read_text()
    last = "  DROP TABLE checked_flight;\n"
    assert last in text
    loop = "  WHILE TRUE DO SET rows_affected = (SELECT COUNT(*) FROM staging.fct_departure); END WHILE;\n"
    file.write_text(text.replace(last, last + loop))
    return tmp_path


@pytest.mark.parametrize(("sent", "status"), [("TERM", 143), ("INT", 130)])
def test_signal_to_the_container_ends_the_run_within_the_grace_period(
    engine: Engine, image: str, endless: Path, sent: str, status: int
) -> None:
    mount = ("--volume", f"{endless}:/run/sid")
    name = engine.asked("run", "--detach", *LOCKED_DOWN, *mount, image, *DAY, "/run/sid/config/local.yaml")
    wait_for(engine, name, "cleanse begins")
    if sent == "TERM":
        engine.asked("stop", "--time", "30", name)  # SIGTERM, and SIGKILL, which is 137, when the grace is over
    else:
        engine.asked("kill", "--signal", sent, name)
    assert engine.asked("wait", name) == str(status)
    logged = engine.docker("logs", name)
    assert f"Ended by SIG{sent}." in logged.stderr
    engine.asked("rm", name)


def wait_for(engine: Engine, container: str, text: str) -> None:
    words: Any = ["docker", "logs", "--follow", container]
    with subprocess.Popen(words, env=engine.environment, stdout=subprocess.PIPE, text=True) as followed:
        assert followed.stdout is not None
        assert any(text in line for line in followed.stdout), engine.docker("logs", container).stderr
        followed.terminate()

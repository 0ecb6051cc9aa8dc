"""tasks.py: the tasks that the job's README names, and the commands that each would run."""

from __future__ import annotations

import shlex
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from deployer.__version__ import __version__

Tool = Callable[..., subprocess.CompletedProcess[str]]

IMAGE = f"europe-docker.pkg.dev/example-datalake/sid/sid-publisher-job:{__version__}"


@pytest.fixture
def dry(tool: Tool, root: Path) -> Callable[..., list[list[str]]]:
    """The commands, as words, that a task prints with --dry."""

    def commands(*words: str) -> list[list[str]]:
        done = tool("invoke", *words, "--dry")
        assert done.returncode == 0, done.stderr
        prefix = f"cd {root} && "
        lines = done.stdout.splitlines()
        assert all(line.startswith(prefix) for line in lines)
        return [shlex.split(line.removeprefix(prefix)) for line in lines]

    return commands


def test_list_explains_each_task_in_a_sentence(tasks: dict[str, str]) -> None:
    assert set(tasks) == {
        "make-docker-image",
        "test-docker-local",
        "deploy-docker-image",
        "local-deploy-gke",
        "lint",
        "test",
        "bench",
    }
    assert all(help.endswith(".") for help in tasks.values())


def test_make_docker_image_builds_the_version(dry: Callable[..., list[list[str]]]) -> None:
    assert dry("make-docker-image") == [["docker", "build", "--tag", IMAGE, "."]]


def test_test_docker_local_runs_without_network_on_the_sample_by_default(dry: Callable[..., list[list[str]]]) -> None:
    [command] = dry("test-docker-local")
    assert command[:2] == ["docker", "run"]
    assert {"--read-only", "none", "/app/.warehouse"} <= set(command)
    assert command[-5:] == [IMAGE, "20130107", "sid_fct_departure", "delta", "/app/config/local.yaml"]


def test_test_docker_local_mounts_the_key_of_a_cloud_environment(
    dry: Callable[..., list[list[str]]], root: Path
) -> None:
    [command] = dry("test-docker-local", "--test-execution-date", "20130103", "--env", "prod")
    source, target = root / "keyscredentials/sid-publisher-prod.json", "/app/keyscredentials/sid-publisher-prod.json"
    assert f"type=bind,source={source},target={target},readonly" in command
    assert f"GOOGLE_APPLICATION_CREDENTIALS={target}" in command
    assert "none" not in command
    assert command[-4:] == ["20130103", "sid_fct_departure", "delta", "/app/config/prod.yaml"]


def test_deploy_docker_image_pushes_the_version(dry: Callable[..., list[list[str]]]) -> None:
    assert dry("deploy-docker-image") == [["docker", "push", IMAGE]]


def test_local_deploy_gke_installs_the_chart_of_the_local_environment(dry: Callable[..., list[list[str]]]) -> None:
    [helm] = dry("local-deploy-gke")
    assert helm[:4] == ["helm", "upgrade", "sid-publisher-job", "gke_deploy"]
    assert f"image={IMAGE}" in helm
    assert "config=config/local.yaml" in helm
    assert "--values" not in helm
    assert "sqlProxy.enabled=true" not in helm


def test_local_deploy_gke_syncs_the_procedures_before_the_chart(dry: Callable[..., list[list[str]]]) -> None:
    sync, helm = dry("local-deploy-gke", "--env", "dev", "--sql-proxy")
    assert sync == ["deployer", "sync", "config/dev.yaml"]
    assert helm[helm.index("--values") + 1] == "gke_deploy/values-dev.yaml"
    assert helm[helm.index("--kube-context") + 1] == "gke_example-sid-dev_europe-west1_sid"
    assert "sqlProxy.enabled=true" in helm


def test_lint_runs_every_linter(dry: Callable[..., list[list[str]]]) -> None:
    assert dry("lint") == [
        ["ruff", "check", "."],
        ["ruff", "format", "--check", "."],
        ["mypy"],
        ["sqlfluff", "lint", "sql/"],
        ["lint-imports"],
    ]


def test_test_runs_the_suite_as_the_readme_does(dry: Callable[..., list[list[str]]], root: Path) -> None:
    [command] = dry("test")
    assert shlex.join(command) in (root / "README.md").read_text()


def test_bench_times_the_second_run(dry: Callable[..., list[list[str]]]) -> None:
    first, timed = dry("bench")
    assert first == ["pipeline", "20130107", "sid_fct_departure", "delta", "config/local.yaml"]
    assert timed[:3] == ["python", "-m", "timeit"]
    compile(timed[-1], "statement", "exec")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("test-docker-local", "--env", "staging"), "--env 'staging' is none of local, dev, prod."),
        (("local-deploy-gke", "--env", "staging"), "--env 'staging' is none of local, dev, prod."),
        (("test-docker-local", "--test-execution-date", "2013-01-07"), "'2013-01-07' is no date YYYYMMDD."),
    ],
)
def test_bad_input_is_refused_in_a_sentence(tool: Tool, words: tuple[str, ...], message: str) -> None:
    done = tool("invoke", *words, "--dry")
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.strip().endswith(message)
    assert "Traceback" not in done.stderr


@pytest.fixture
def tasks_with_keys(tmp_path: Path, root: Path) -> Callable[[str], Path]:
    """A folder with the tasks and another download_list.txt."""

    def made(download_list: str) -> Path:
        for name in ("tasks.py", "invoke.yaml", "deployer/__version__.py"):
            (tmp_path / name).parent.mkdir(exist_ok=True)
            shutil.copy(root / name, tmp_path / name)
        (tmp_path / "keyscredentials").mkdir()
        (tmp_path / "keyscredentials/download_list.txt").write_text(download_list)
        return tmp_path

    return made


def test_make_docker_image_downloads_the_listed_keys(tool: Tool, tasks_with_keys: Callable[[str], Path]) -> None:
    done = tool("invoke", "make-docker-image", "--dry", cwd=tasks_with_keys("# keys\n\nsid-dev.json\nsid-prod.json\n"))
    copies = [line for line in done.stdout.splitlines() if "gcloud" in line]
    assert [line.split("&& ")[1] for line in copies] == [
        f"gcloud storage cp gs://example-sid-keys/{key} keyscredentials/{key}"
        for key in ("sid-dev.json", "sid-prod.json")
    ]


@pytest.mark.parametrize("key", ["../key.json", "key.txt", "-key.json"])
def test_make_docker_image_refuses_a_key_that_is_no_file_name(
    tool: Tool, tasks_with_keys: Callable[[str], Path], key: str
) -> None:
    done = tool("invoke", "make-docker-image", "--dry", cwd=tasks_with_keys(key))
    assert done.returncode == 2
    assert f"download_list.txt: '{key}' is no file name that ends in .json" in done.stderr

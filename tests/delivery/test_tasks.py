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

ROOT = Path(__file__).parents[2]


def git(*words: str) -> str:
    return subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()


TAG = f"{__version__}-{git('describe', '--always', '--dirty', '--abbrev=12', '--exclude', '*')}"
IMAGE = f"europe-docker.pkg.dev/example-datalake/sid/sid-publisher-job:{TAG}"


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


def test_list_explains_each_task_in_a_line(tasks: dict[str, str], tool: Tool) -> None:
    delivery = {"make-docker-image", "test-docker-local", "deploy-docker-image", "local-deploy-gke"}
    assert delivery | {"demo", "lint", "check", "test", "bench", "docs", "plan", "sync"} <= set(tasks)
    listed = tool("invoke", "--list").stdout.splitlines()
    assert len([line for line in listed if line.startswith("  ")]) == len(tasks)
    assert all(help.endswith(".") for help in tasks.values())


def test_every_task_shows_its_commands_and_runs_none(
    tasks: dict[str, str], dry: Callable[..., list[list[str]]]
) -> None:
    for task in tasks:
        assert dry(task), task


def test_make_docker_image_builds_the_version_of_the_commit(dry: Callable[..., list[list[str]]]) -> None:
    labels = ["--build-arg", f"VERSION={__version__}", "--build-arg", f"REVISION={git('rev-parse', 'HEAD')}"]
    assert dry("make-docker-image") == [["docker", "build", *labels, "--tag", IMAGE, "."]]


def test_test_docker_local_runs_without_network_on_the_sample_by_default(dry: Callable[..., list[list[str]]]) -> None:
    [command] = dry("test-docker-local")
    assert command[:2] == ["docker", "run"]
    assert {"--read-only", "none", "ALL", "no-new-privileges"} <= set(command)
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


def test_local_deploy_gke_takes_the_values_of_the_environment(dry: Callable[..., list[list[str]]]) -> None:
    [helm] = dry("local-deploy-gke", "--env", "dev", "--sql-proxy")
    assert helm[helm.index("--values") + 1] == "gke_deploy/values-dev.yaml"
    assert helm[helm.index("--kube-context") + 1] == "gke_example-sid-dev_europe-west1_sid"
    assert "config=config/dev.yaml" in helm
    assert "sqlProxy.enabled=true" in helm


def test_plan_and_sync_take_the_config_of_the_environment(dry: Callable[..., list[list[str]]]) -> None:
    assert dry("plan", "--env", "dev") == [["deployer", "plan", "config/dev.yaml"]]
    assert dry("sync", "--env", "prod") == [["deployer", "sync", "config/prod.yaml"]]


def test_lint_runs_every_linter(dry: Callable[..., list[list[str]]]) -> None:
    assert dry("lint") == [
        ["ruff", "check", "."],
        ["ruff", "format", "--check", "."],
        ["mypy"],
        ["sqlfluff", "lint", "sql/"],
        ["lint-imports"],
        ["hadolint", "Dockerfile"],
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
        (("plan", "--env", "staging"), "--env 'staging' is none of local, dev, prod."),
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
    assert [line.split("&& ")[1] for line in done.stdout.splitlines()[:-1]] == [
        command
        for key in ("sid-dev.json", "sid-prod.json")
        for command in (
            f"gcloud storage cp gs://example-sid-keys/{key} keyscredentials/{key}",
            f"chmod 600 keyscredentials/{key}",
        )
    ]


def test_make_docker_image_downloads_keys_from_secret_manager(
    tool: Tool, tasks_with_keys: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INVOKE_KEYS", "secretmanager://example-sid")
    done = tool("invoke", "make-docker-image", "--dry", cwd=tasks_with_keys("sid-dev.json\n"))
    assert done.stdout.splitlines()[0].split("&& ")[1] == (
        "gcloud secrets versions access latest --secret sid-dev"
        " --project example-sid --out-file keyscredentials/sid-dev.json"
    )


@pytest.mark.parametrize("key", ["../key.json", "key.txt", "-key.json"])
def test_make_docker_image_refuses_a_key_that_is_no_file_name(
    tool: Tool, tasks_with_keys: Callable[[str], Path], key: str
) -> None:
    done = tool("invoke", "make-docker-image", "--dry", cwd=tasks_with_keys(key))
    assert done.returncode == 2
    assert f"download_list.txt: '{key}' is no file name that ends in .json" in done.stderr


def test_test_docker_local_asks_for_the_key_before_it_runs(tool: Tool, tasks_with_keys: Callable[[str], Path]) -> None:
    done = tool("invoke", "test-docker-local", "--env", "dev", cwd=tasks_with_keys(""))
    assert done.returncode == 2
    assert "keyscredentials/sid-publisher-dev.json is missing; name it in" in done.stderr

"""gke_deploy/: rendered by Helm's engine, validated against the published schemas of Kubernetes."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from helm_python.chart import Chart, lint
from helm_python.errors import HelmError

OLDEST = "1.31"  # of Chart.yaml
NEWEST = kubernetes_validate.latest_version()
ENVIRONMENTS = ("local", "dev", "prod")
TRANSFERS = ["sid-dim-agent", "sid-fct-departure", "sid-agg-agent-daily"]

Manifest = dict[str, Any]


@pytest.fixture(scope="session")
def chart(root: Path) -> Iterator[Chart]:
    with Chart.load(root / "gke_deploy") as loaded:
        yield loaded


def values_of(root: Path, environment: str, **changes: Any) -> dict[str, Any]:
    """What `invoke local-deploy-gke --env …` gives to Helm."""
    file = root / f"gke_deploy/values-{environment}.yaml"
    values = {} if environment == "local" else yaml.safe_load(file.read_text())
    given = {"image": "example/sid:1", "config": (root / f"config/{environment}.yaml").read_text()}
    return {**values, **given, **changes}


def with_proxy(root: Path, environment: str) -> dict[str, Any]:
    return values_of(root, environment, sqlProxy={"enabled": True, "instance": "example:europe-west1:sid"})


def rendered(chart: Chart, values: dict[str, Any]) -> dict[str, Manifest]:
    files = chart.render(values, name="sid", namespace="sid", revision=3)
    texts = [text for name, text in files.items() if name.endswith(".yaml")]
    manifests = [manifest for text in texts for manifest in yaml.safe_load_all(text) if manifest]
    return {manifest["kind"]: manifest for manifest in manifests}


def pod_of(manifest: Manifest) -> Manifest:
    spec = manifest["spec"]
    job = spec["jobTemplate"]["spec"] if manifest["kind"] == "CronJob" else spec
    pod: Manifest = job["template"]["spec"]
    return pod


@pytest.mark.parametrize("proxy", [False, True])
@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_chart_lints_and_fits_the_schemas(chart: Chart, root: Path, environment: str, proxy: bool) -> None:
    values = with_proxy(root, environment) if proxy else values_of(root, environment)
    report = lint(root / "gke_deploy", values, strict=True)
    assert report["errors"] == []
    manifests = rendered(chart, values)
    for manifest in manifests.values():
        for version in (OLDEST, NEWEST):
            kubernetes_validate.validate(manifest, version, strict=True)
    assert set(manifests) == {"ConfigMap", "ServiceAccount", "Job" if environment == "local" else "CronJob"}


def test_job_publishes_the_transfers_in_order_with_one_config(chart: Chart, root: Path) -> None:
    manifests = rendered(chart, values_of(root, "local"))
    assert manifests["Job"]["metadata"]["name"] == "sid-3"
    pod = pod_of(manifests["Job"])
    containers = [*pod["initContainers"], *pod["containers"]]
    assert [container["name"] for container in containers] == TRANSFERS
    assert containers[0]["args"] == ["20130107", "sid_dim_agent", "delta", "/app/config/config.yaml"]
    assert all("command" not in container for container in containers)
    assert manifests["ConfigMap"]["data"]["config.yaml"] == (root / "config/local.yaml").read_text()


def test_transfers_of_the_chart_are_those_of_the_config(chart: Chart, root: Path) -> None:
    for environment in ENVIRONMENTS:
        config = yaml.safe_load((root / f"config/{environment}.yaml").read_text())
        transfers = chart.merge_values(values_of(root, environment))["transfers"]
        assert sorted(transfers) == sorted(config["transfers"])
        for transfer, settings in config["transfers"].items():
            before = transfers[: transfers.index(transfer)]
            assert set(settings.get("depends_on", [])) <= set(before)


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_every_container_runs_with_the_least_rights(chart: Chart, root: Path, environment: str) -> None:
    manifests = rendered(chart, with_proxy(root, environment))
    pod = pod_of(manifests.get("Job") or manifests["CronJob"])
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    for container in [*pod["initContainers"], *pod["containers"]]:
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }


def test_sql_proxy_starts_first_and_does_not_keep_the_job_alive(chart: Chart, root: Path) -> None:
    pod = pod_of(rendered(chart, with_proxy(root, "dev"))["CronJob"])
    proxy = pod["initContainers"][0]
    assert proxy["name"] == "sql-proxy"
    assert proxy["restartPolicy"] == "Always"
    assert "example:europe-west1:sid" in proxy["args"]


def test_cron_job_never_runs_twice_at_once(chart: Chart, root: Path) -> None:
    spec = rendered(chart, values_of(root, "prod"))["CronJob"]["spec"]
    assert spec["concurrencyPolicy"] == "Forbid"
    assert spec["timeZone"] == "Europe/Berlin"
    rules = {
        code: rule["action"]
        for rule in spec["jobTemplate"]["spec"]["podFailurePolicy"]["rules"]
        for code in rule.get("onExitCodes", {}).get("values", [])
    }
    assert rules == {2: "FailJob", 3: "Ignore"}


def run_command(chart: Chart, root: Path, folder: Path, job: str, **changes: Any) -> subprocess.CompletedProcess[str]:
    """The CronJob's own command, with a `pipeline` that prints its arguments."""
    container = pod_of(rendered(chart, values_of(root, "prod", **changes))["CronJob"])["containers"][0]
    (folder / "pipeline").write_text('#!/bin/sh\necho "$@"\n')
    (folder / "pipeline").chmod(0o755)
    given = {variable["name"]: variable["value"] for variable in container["env"] if "value" in variable}
    environment = {**given, "JOB_NAME": job, "PATH": f"{folder}:/usr/bin:/bin"}
    return subprocess.run([*container["command"], *container["args"]], env=environment, capture_output=True, text=True)


@pytest.mark.parametrize(
    ("minutes", "changes", "day"),
    [
        # 2025-03-31 00:30 in Berlin, the night after the clocks went forward: 24 hours earlier is 29 March.
        (29056230, {}, "20250330"),
        (29056230, {"timeZone": "Etc/UTC"}, "20250329"),
        (29056230, {"daysBack": 0}, "20250331"),
        (29056230, {"daysBack": 31}, "20250228"),
    ],
)
def test_cron_job_publishes_the_day_of_its_scheduled_time_in_its_time_zone(
    chart: Chart, root: Path, tmp_path: Path, minutes: int, changes: dict[str, Any], day: str
) -> None:
    done = run_command(chart, root, tmp_path, f"sid-{minutes}", **changes)
    assert done.stdout == f"{day} sid_agg_agent_daily delta /app/config/config.yaml\n"


def test_cron_job_started_under_another_name_is_refused(chart: Chart, root: Path, tmp_path: Path) -> None:
    done = run_command(chart, root, tmp_path, "sid-by-hand")
    assert done.returncode == 2
    assert "invalid date" in done.stderr


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"image": ""}, "image is missing; `invoke local-deploy-gke` sets it"),
        ({"config": ""}, "config is missing; `invoke local-deploy-gke` sets it"),
        ({"executionDate": 20130107}, "executionDate is no text YYYYMMDD"),
        ({"sqlProxy": {"enabled": True}}, "sqlProxy.instance is missing"),
    ],
)
def test_wrong_values_are_refused(chart: Chart, root: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(HelmError, match=message):
        rendered(chart, values_of(root, "local", **changes))


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_notes_name_the_job_that_was_made(chart: Chart, root: Path, environment: str) -> None:
    notes = chart.render(values_of(root, environment), name="sid", namespace="team", revision=3)
    text = notes["sid-publisher-job/templates/NOTES.txt"]
    assert "kubectl --namespace team" in text
    assert ("job/sid-3" if environment == "local" else "cronjob/sid") in text

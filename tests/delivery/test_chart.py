"""gke_deploy/: rendered by Helm's engine, validated against the published schemas of Kubernetes."""

from __future__ import annotations

import http.server
import os
import shutil
import signal
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from helm_python.chart import Chart, lint
from helm_python.errors import HelmError

from deployer.config import load_config

OLDEST = "1.27"  # of Chart.yaml
OLDEST_WITH_SIDECARS = "1.29"
NEWEST = kubernetes_validate.latest_version()
GOLDEN = Path(__file__).parent / "golden"
ENVIRONMENTS = ("local", "dev", "prod")
PROXY = {"enabled": True, "instance": "example:europe-west1:sid"}
OPTIONS: dict[str, dict[str, Any]] = {
    "plain": {},
    "native-proxy": {"sqlProxy": PROXY},
    "classic-proxy": {"sqlProxy": {**PROXY, "form": "classic"}},
    "config-in-a-bucket": {"config": "", "configLocation": "gs://example-config/sid.yaml"},
    "one-day-too": {"executionDate": "20130107"},
    "no-network-policy": {"networkPolicy": {"enabled": False}},
}
TRANSFERS = ["sid-dim-agent", "sid-fct-departure", "sid-agg-agent-daily"]
COMMON = {"ConfigMap/sid", "NetworkPolicy/sid", "ServiceAccount/sid"}
SYNC = {"ConfigMap/sid-sync", "Job/sid-sync", "NetworkPolicy/sid-sync", "ServiceAccount/sid-sync"}

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
    for key, value in changes.items():
        given[key] = {**values.get(key, {}), **value} if isinstance(value, dict) else value
    return {**values, **given}


def rendered(chart: Chart, values: dict[str, Any]) -> dict[str, Manifest]:
    """Kind/name -> manifest, as release `sid` in its third revision."""
    files = chart.render(values, name="sid", namespace="sid", revision=3)
    texts = [text for name, text in files.items() if name.endswith(".yaml")]
    manifests = [manifest for text in texts for manifest in yaml.safe_load_all(text) if manifest]
    made = {f"{manifest['kind']}/{manifest['metadata']['name']}": manifest for manifest in manifests}
    assert len(made) == len(manifests)
    return made


def pod_of(manifest: Manifest) -> Manifest:
    spec = manifest["spec"]
    job = spec["jobTemplate"]["spec"] if manifest["kind"] == "CronJob" else spec
    pod: Manifest = job["template"]["spec"]
    return pod


def containers_of(pod: Manifest) -> list[Manifest]:
    return [*pod.get("initContainers", []), *pod["containers"]]


@pytest.mark.parametrize("option", OPTIONS)
@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_chart_lints_fits_the_schemas_and_keeps_the_policy(
    chart: Chart, root: Path, environment: str, option: str
) -> None:
    values = values_of(root, environment, **OPTIONS[option])
    assert lint(root / "gke_deploy", values, strict=True, kube_version=f"v{NEWEST}")["errors"] == []
    manifests = rendered(chart, values)
    oldest = OLDEST_WITH_SIDECARS if option == "native-proxy" else OLDEST
    for manifest in manifests.values():
        for version in (oldest, NEWEST):
            kubernetes_validate.validate(manifest, version, strict=True)
    expected = COMMON | (SYNC if environment != "local" else set())
    expected |= {"CronJob/sid"} if environment != "local" else {"Job/sid-3"}
    expected |= {"Job/sid-3"} if option == "one-day-too" else set()
    dropped = {"config-in-a-bucket": "ConfigMap/", "no-network-policy": "NetworkPolicy/"}.get(option, "none")
    assert set(manifests) == {name for name in expected if not name.startswith(dropped)}
    workloads = [manifest for name, manifest in manifests.items() if "Job/" in name]
    for manifest in workloads:
        assert_restricted(pod_of(manifest))


def assert_restricted(pod: Manifest) -> None:
    """The rules of Kubernetes' restricted profile, and ours: a read-only root, limits, no token, no key."""
    assert not {"hostNetwork", "hostPID", "hostIPC", "hostUsers"} & set(pod)
    assert pod["automountServiceAccountToken"] is False
    assert pod["restartPolicy"] == "Never"
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["runAsUser"] > 0
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert {key for volume in pod["volumes"] for key in set(volume) - {"name"}} <= {"configMap", "emptyDir"}
    for container in containers_of(pod):
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert {"cpu", "memory"} <= set(container["resources"]["requests"])
        assert "memory" in container["resources"]["limits"]
        assert not [port for port in container.get("ports", []) if "hostPort" in port]
        assert "GOOGLE_APPLICATION_CREDENTIALS" not in {variable["name"] for variable in container.get("env", [])}


@pytest.mark.parametrize(
    ("environment", "option"),
    [("local", "plain"), ("dev", "native-proxy"), ("prod", "plain"), ("prod", "classic-proxy")],
)
def test_render_is_the_golden_one(chart: Chart, root: Path, environment: str, option: str) -> None:
    """To accept a change: GOLDEN=write pytest …, and read the diff."""
    values = values_of(root, environment, **OPTIONS[option], config="the text of a config\n")
    text = yaml.safe_dump_all(rendered(chart, values).values(), sort_keys=True, width=1000)
    file = GOLDEN / f"{environment}-{option}.yaml"
    if os.environ.get("GOLDEN") == "write":
        file.write_text(text)
    assert file.read_text() == text


def test_job_publishes_the_transfers_in_order_with_one_config(chart: Chart, root: Path) -> None:
    manifests = rendered(chart, values_of(root, "local"))
    containers = containers_of(pod_of(manifests["Job/sid-3"]))
    assert [container["name"] for container in containers] == TRANSFERS
    assert containers[0]["args"] == ["20130107", "sid_dim_agent", "delta", "/app/config/config.yaml"]
    assert all("command" not in container for container in containers)
    assert manifests["ConfigMap/sid"]["data"]["config.yaml"] == (root / "config/local.yaml").read_text()


def test_config_of_a_bucket_is_read_by_every_pod(chart: Chart, root: Path) -> None:
    manifests = rendered(chart, values_of(root, "prod", **OPTIONS["config-in-a-bucket"]))
    for name in ("CronJob/sid", "Job/sid-sync"):
        assert {container["args"][-1] for container in containers_of(pod_of(manifests[name]))} == {
            "gs://example-config/sid.yaml"
        }


def test_transfers_of_the_chart_are_those_of_the_config(chart: Chart, root: Path) -> None:
    for environment in ENVIRONMENTS:
        config = yaml.safe_load((root / f"config/{environment}.yaml").read_text())
        transfers = chart.merge_values(values_of(root, environment))["transfers"]
        assert sorted(transfers) == sorted(config["transfers"])
        for transfer, settings in config["transfers"].items():
            before = transfers[: transfers.index(transfer)]
            assert set(settings.get("depends_on", [])) <= set(before)


def test_procedures_are_synced_by_a_hook_of_the_new_image_before_everything(chart: Chart, root: Path) -> None:
    manifests = rendered(chart, values_of(root, "prod"))
    hooks = {name: manifests[name]["metadata"]["annotations"] for name in SYNC}
    assert {hook["helm.sh/hook"] for hook in hooks.values()} == {"pre-install,pre-upgrade,pre-rollback"}
    weights = {name: int(hook["helm.sh/hook-weight"]) for name, hook in hooks.items()}
    assert all(weights[name] < weights["Job/sid-sync"] for name in SYNC - {"Job/sid-sync"})
    [container] = containers_of(pod_of(manifests["Job/sid-sync"]))
    assert (container["image"], container["command"], container["args"]) == (
        "example/sid:1",
        ["deployer"],
        ["sync", "/app/config/config.yaml"],
    )
    accounts = {
        name: manifests[name]["metadata"]["annotations"]["iam.gke.io/gcp-service-account"].split("@")[0]
        for name in ("ServiceAccount/sid", "ServiceAccount/sid-sync")
    }
    assert accounts == {"ServiceAccount/sid": "sid-publisher", "ServiceAccount/sid-sync": "sid-deployer"}


def test_each_pod_is_in_exactly_one_network_policy_that_lets_nothing_in(chart: Chart, root: Path) -> None:
    for environment, reached in (("local", False), ("prod", True)):
        manifests = rendered(chart, values_of(root, environment))
        policies = [manifest["spec"] for name, manifest in manifests.items() if name.startswith("NetworkPolicy/")]
        for policy in policies:
            assert policy["policyTypes"] == ["Ingress", "Egress"]
            assert policy["ingress"] == []
            assert bool(policy["egress"]) is reached
        for name in ("CronJob/sid", "Job/sid-3", "Job/sid-sync"):
            if name not in manifests:
                continue
            spec = manifests[name]["spec"]
            template = spec.get("jobTemplate", {}).get("spec", spec)["template"]
            labels = template["metadata"]["labels"].items()
            assert sum(policy["podSelector"]["matchLabels"].items() <= labels for policy in policies) == 1


def test_native_proxy_starts_first_and_does_not_keep_the_job_alive(chart: Chart, root: Path) -> None:
    pod = pod_of(rendered(chart, values_of(root, "dev", **OPTIONS["native-proxy"]))["CronJob/sid"])
    assert [container["name"] for container in containers_of(pod)] == ["sql-proxy", *TRANSFERS]
    proxy = pod["initContainers"][0]
    assert proxy["restartPolicy"] == "Always"
    assert "startupProbe" in proxy
    assert proxy["args"][-1] == "example:europe-west1:sid"


def test_native_proxy_is_refused_by_a_cluster_without_sidecars(root: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Helm's linter logs what `fail` says, and goes on."""
    for option, refused in (("native-proxy", True), ("classic-proxy", False)):
        lint(root / "gke_deploy", values_of(root, "dev", **OPTIONS[option]), kube_version="v1.28.0")
        assert ("set sqlProxy.form to classic" in capfd.readouterr().err) is refused


def test_cron_job_never_runs_twice_at_once_and_fails_by_exit_status(chart: Chart, root: Path) -> None:
    manifests = rendered(chart, values_of(root, "prod"))
    spec = manifests["CronJob/sid"]["spec"]
    assert spec["concurrencyPolicy"] == "Forbid"
    assert spec["timeZone"] == "Europe/Berlin"
    assert (spec["startingDeadlineSeconds"], spec["successfulJobsHistoryLimit"]) == (3600, 7)
    for job in (spec["jobTemplate"]["spec"], manifests["Job/sid-sync"]["spec"]):
        assert {"backoffLimit", "activeDeadlineSeconds", "ttlSecondsAfterFinished"} <= set(job)
        grace = load_config(str(root / "config/prod.yaml")).grace_seconds
        assert job["template"]["spec"]["terminationGracePeriodSeconds"] >= 2 * grace
        assert job["podFailurePolicy"]["rules"] == [
            {"action": "FailJob", "onExitCodes": {"operator": "In", "values": [2]}, "onPodConditions": []},
            {"action": "Ignore", "onExitCodes": {"operator": "In", "values": [3]}, "onPodConditions": []},
            {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]},
        ]


@dataclass
class Shell:
    """The command of a pod's last container, with a `pipeline` of the test's own, run by this machine's shell."""

    container: Manifest
    folder: Path

    def start(self, job: str, pipeline: str) -> subprocess.Popen[str]:
        (self.folder / "pipeline").write_text(f"#!/bin/sh\n{pipeline}\n")
        (self.folder / "pipeline").chmod(0o755)
        python = self.folder / "python"
        if not python.exists():
            python.symlink_to(shutil.which("python3") or "/usr/bin/python3")
        given = {variable["name"]: variable["value"] for variable in self.container["env"] if "value" in variable}
        environment = {**given, "JOB_NAME": job, "PATH": f"{self.folder}:/usr/bin:/bin"}
        words = [*self.container["command"], *self.container["args"]]
        pipe = subprocess.PIPE
        return subprocess.Popen(words, env=environment, stdout=pipe, stderr=pipe, text=True)

    def run(self, job: str, pipeline: str = 'echo "$@"') -> tuple[int, str, str]:
        process = self.start(job, pipeline)
        stdout, stderr = process.communicate(timeout=60)
        return process.returncode, stdout, stderr


def shell_of(chart: Chart, root: Path, folder: Path, **changes: Any) -> Shell:
    pod = pod_of(rendered(chart, values_of(root, "prod", **changes))["CronJob/sid"])
    return Shell(pod["containers"][0], folder)


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
    one = shell_of(chart, root, tmp_path, **changes).run(f"sid-{minutes}")
    assert one == (0, f"{day} sid_agg_agent_daily delta /app/config/config.yaml\n", "")


def test_cron_job_started_under_another_name_is_refused(chart: Chart, root: Path, tmp_path: Path) -> None:
    for option in ("plain", "classic-proxy"):
        status, _, stderr = shell_of(chart, root, tmp_path, **OPTIONS[option]).run("sid-by-hand")
        assert status == 2
        assert "invalid date" in stderr


@pytest.fixture
def proxy() -> Iterator[list[str]]:
    """The classic proxy's admin server: what it was asked for."""
    asked: list[str] = []

    class Admin(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *arguments: object) -> None:
            """A test's output is its failures."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 9091), Admin) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield asked
        server.shutdown()


@pytest.mark.parametrize(("pipeline", "status", "runs"), [('echo "$2"', 0, 3), ('echo "$2"; exit 3', 3, 1)])
def test_classic_proxy_is_told_to_quit_when_the_transfers_are_over(
    chart: Chart, root: Path, tmp_path: Path, proxy: list[str], pipeline: str, status: int, runs: int
) -> None:
    shell = shell_of(chart, root, tmp_path, **OPTIONS["classic-proxy"])
    order = ["sid_dim_agent", "sid_fct_departure", "sid_agg_agent_daily"]
    assert shell.run("sid-29056230", pipeline) == (status, "".join(f"{name}\n" for name in order[:runs]), "")
    assert proxy == ["/quitquitquit"]


def test_signal_reaches_the_run_beside_a_classic_proxy(
    chart: Chart, root: Path, tmp_path: Path, proxy: list[str]
) -> None:
    shell = shell_of(chart, root, tmp_path, **OPTIONS["classic-proxy"])
    ending = "trap 'echo cleaned up; exit 143' TERM; echo started; while :; do sleep 0.05; done"
    process = shell.start("sid-29056230", ending)
    assert process.stdout is not None
    assert process.stdout.readline() == "started\n"
    process.send_signal(signal.SIGTERM)
    stdout, _ = process.communicate(timeout=60)
    assert (process.returncode, stdout) == (143, "cleaned up\n")
    assert proxy == ["/quitquitquit"]


def test_signal_that_comes_as_a_run_begins_beside_a_classic_proxy_is_not_lost(
    chart: Chart, root: Path, tmp_path: Path, proxy: list[str]
) -> None:
    shell = shell_of(chart, root, tmp_path, **OPTIONS["classic-proxy"])
    command = shell.container["command"]
    assert "& run=$!" in command[2]
    # The signal is the run's own first act; the pause makes sure that the shell does not know its number by then.
    command[2] = command[2].replace("& run=$!", "& sleep 0.3; run=$!")
    ending = "trap 'echo cleaned up; exit 143' TERM; kill -TERM $PPID; while :; do sleep 0.05; done"
    assert shell.run("sid-29056230", ending) == (143, "cleaned up\n", "")
    assert proxy == ["/quitquitquit"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"image": ""}, "image is missing; `invoke local-deploy-gke` sets it"),
        ({"image": "sid"}, "image"),
        ({"config": ""}, "config is missing; `invoke local-deploy-gke` sets it"),
        ({"configLocation": "gs://bucket/file"}, "config and configLocation are both set"),
        ({"configLocation": "/a/path"}, "configLocation"),
        ({"executionDate": 20130107}, "executionDate"),
        ({"executionDate": "2013-01-07"}, "executionDate"),
        ({"sqlProxy": {"enabled": True}}, "sqlProxy.instance is missing"),
        ({"sqlProxy": {"form": "new"}}, "form"),
        ({"networkPolicy": {"egress": "all"}}, "egress"),
        ({"terminationGracePeriodSeconds": 5}, "terminationGracePeriodSeconds"),
        ({"transfers": []}, "transfers"),
        ({"serviceAccount": {"publisher": "me@example.com"}}, "publisher"),
        ({"tranfers": ["a"]}, "tranfers"),
    ],
)
def test_wrong_values_are_refused_by_name(chart: Chart, root: Path, changes: dict[str, Any], message: str) -> None:
    values = values_of(root, "local", **changes)
    with pytest.raises(HelmError, match=message):
        chart.validate_schema(values)
        rendered(chart, values)


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_notes_name_the_job_that_was_made(chart: Chart, root: Path, environment: str) -> None:
    notes = chart.render(values_of(root, environment), name="sid", namespace="team", revision=3)
    text = notes["sid-publisher-job/templates/NOTES.txt"]
    assert "kubectl --namespace team" in text
    assert ("job/sid-3" if environment == "local" else "cronjob/sid") in text

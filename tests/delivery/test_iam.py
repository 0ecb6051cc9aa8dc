"""gke_deploy/iam.md: the commands, run with stubs of gcloud and bq, grant what the table lists, and no more."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest
import yaml
from zetasql.api import Parser

STUB = """#!/usr/bin/env python3
import json, os, sys
with open(os.environ["RECORD"], "a") as file:
    print(json.dumps([os.path.basename(sys.argv[0]), *sys.argv[1:]]), file=file)
# Nothing exists yet.
sys.exit(1 if {"describe", "update"} & set(sys.argv) else 0)
"""
GRANT = re.compile(r"GRANT `([^`]+)` ON SCHEMA `([^`]+)` TO '([^']+)'")


@pytest.fixture(scope="module")
def page(root: Path) -> str:
    return (root / "gke_deploy/iam.md").read_text()


@pytest.fixture(scope="module")
def ran(page: str, tmp_path_factory: pytest.TempPathFactory) -> list[list[str]]:
    """The commands that the page's script ran."""
    folder = tmp_path_factory.mktemp("iam")
    for name in ("gcloud", "bq"):
        (folder / name).write_text(STUB)
        (folder / name).chmod(0o755)
    [script] = re.findall(r"```bash\n(.*?)```", page, flags=re.DOTALL)
    environment = {"PATH": f"{folder}:/usr/bin:/bin", "RECORD": str(folder / "record")}
    subprocess.run(["bash", "-c", script], env=environment, check=True)
    return [json.loads(line) for line in (folder / "record").read_text().splitlines()]


def value(words: list[str], option: str) -> str:
    return words[words.index(option) + 1]


def test_commands_grant_what_the_table_lists(page: str, ran: list[list[str]], root: Path, googlesql: Parser) -> None:
    datasets = yaml.safe_load((root / "config/dev.yaml").read_text())["datasets"]
    listed = set()
    for account, role, places in re.findall(r"^\| (\w+) \| `([\w./]+)`[^|]* \| ([^|]+) \|", page, flags=re.MULTILINE):
        if account in ("publisher", "deployer") and page.index("Only where") > page.index(f"| `{role}`"):
            for place in re.findall(r"`(\w+)`", places) or ["project"]:
                listed.add((account, role.split("/")[-1], datasets.get(place, place)))
    granted = set()
    for words in ran:
        if words[0] == "gcloud" and words[1:3] == ["projects", "add-iam-policy-binding"]:
            account = value(words, "--member").split("sid-")[1].split("@")[0]
            granted.add((account, value(words, "--role").split("/")[-1], "project"))
        elif words[0] == "bq" and "query" in words:
            googlesql.parse_script(words[-1])
            for role, dataset, member in GRANT.findall(words[-1]):
                granted.add((member.split("sid-")[1].split("@")[0], role.split("/")[-1], dataset.split(".")[1]))
    assert granted == listed
    assert len(granted) == 10


def test_publisher_can_change_rows_and_no_definition(page: str, ran: list[list[str]]) -> None:
    [created] = [words for words in ran if words[1:4] == ["iam", "roles", "create"]]
    permissions = value(created, "--permissions").split(",")
    assert permissions == re.findall(r"`(bigquery\.\w+\.\w+)`", page.replace("\n", " "))
    verbs = {permission.split(".")[-1] for permission in permissions}
    assert verbs == {"get", "list", "getData", "updateData"}


def test_workload_identity_binds_the_accounts_of_the_chart(ran: list[list[str]], root: Path) -> None:
    bound = {
        words[4].split("@")[0]: value(words, "--member")
        for words in ran
        if words[1:4] == ["iam", "service-accounts", "add-iam-policy-binding"]
    }
    assert bound == {
        "sid-publisher": "serviceAccount:example-sid-dev.svc.id.goog[sid/sid-publisher-job]",
        "sid-deployer": "serviceAccount:example-sid-dev.svc.id.goog[sid/sid-publisher-job-sync]",
    }
    values = yaml.safe_load((root / "gke_deploy/values-dev.yaml").read_text())
    accounts = {f"{name}@example-sid-dev.iam.gserviceaccount.com" for name in bound}
    assert set(values["serviceAccount"].values()) == accounts

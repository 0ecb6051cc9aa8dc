"""sync on a warehouse: read, plan and apply through BigQuery's client and the embedded engine."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest
import requests
from google.cloud.bigquery import Row
from zetasql.api import Parser

from deployer.config import Config, Retries
from deployer.errors import DeployerError, UsageError
from deployer.retries import Patience
from deployer.sync import deployments
from deployer.sync.apply import Applied, Superseded, apply_plan
from deployer.sync.compare import Options
from deployer.sync.definitions import load_definitions
from deployer.sync.deployments import LockHeld, history
from deployer.sync.live import read_state
from deployer.sync.plan import make_plan
from deployer.sync.render import lines_of_applied
from deployer.sync.rollback import definitions_at, earlier
from deployer.sync.trials import can_be_tried, refuse_what_fails
from deployer.warehouse import Warehouse
from tests.deployer.sync.conftest import Answer, Silent, Wire, edit, planned, refusal, sent, synced, told

NOTE, FCT, PUBLISH, AGENTS = (
    "ops/procedures/note.sql",
    "sid/tables/fct.sql",
    "sid/procedures/publish.sql",
    "sid/views/agents.sql",
)


def rows(warehouse: Warehouse, sql: str) -> list[Row]:
    return list(warehouse.client.query_and_wait(sql))


def body(warehouse: Warehouse, name: str) -> str:
    return str(warehouse.client.get_routine(name).body)


def entries(warehouse: Warehouse, number: int) -> list[tuple[str, str, str]]:
    sql = "SELECT o.object, o.action, o.state FROM dev_operations.deployments AS d, UNNEST(d.objects) AS o"
    return [row.values() for row in rows(warehouse, f"{sql} WHERE d.deployment_id = {number}")]


def lock(warehouse: Warehouse) -> list[object]:
    return [row.holder for row in rows(warehouse, "SELECT holder FROM dev_operations.deploy_locks")]


def test_first_sync_creates_everything_under_the_environments_names(empty: Warehouse) -> None:
    assert synced(empty).is_complete
    client = empty.client
    assert sorted(item.dataset_id for item in client.list_datasets()) == ["dev", "dev_operations", "ops_raw"]
    assert sorted(item.table_id for item in client.list_tables("dev")) == ["agents", "fct"]
    assert [item.routine_id for item in client.list_routines("dev_operations")] == ["note"]
    client.query_and_wait("INSERT INTO ops_raw.flights (carrier, flight) VALUES ('AA', 1), ('UA', 0)")
    client.query_and_wait("CALL dev.publish()")
    assert [tuple(row) for row in rows(empty, "SELECT agent FROM dev.agents")] == [("AA",)]


def test_sync_records_who_what_and_when_in_one_row(warehouse: Warehouse) -> None:
    [row] = rows(warehouse, "SELECT * FROM dev_operations.deployments")
    assert (row.deployment_id, row.environment, row.outcome) == (1, "test", "applied")
    assert row.deployed_at <= row.ended_at and row.deployed_by and row.code_version and "process" in row.holder
    assert [(made["object"], made["kind"], made["checksum"], made["definition"]) for made in row.objects] == [
        (str(made.name), made.kind, made.checksum, made.text) for made in load_definitions(warehouse.config)
    ]
    assert {(made["action"], made["state"]) for made in row.objects} == {("create", "applied")}
    assert all(made["ddl_checksum"] for made in row.objects)
    assert [bool(made["altered_at"]) for made in row.objects] == [made["kind"] == "PROCEDURE" for made in row.objects]
    assert lock(warehouse) == [None]


def test_second_sync_and_plan_take_two_calls_and_one_a_dataset_and_write_nothing(
    warehouse: Warehouse, wire: Wire
) -> None:
    wire.calls.clear()
    assert planned(warehouse).steps == ()
    lists = [
        f"GET /datasets/{name}/routines?maxResults=1000&prettyPrint=false"
        for name in ("dev", "dev_operations", "ops_raw")
    ]
    assert sorted(wire.told()) == [*lists, "POST /queries?prettyPrint=false"]
    kinds = {job.statement_type for job in warehouse.client.list_jobs(max_results=1)}
    assert kinds == {"SELECT"}


def test_sync_of_a_change_takes_three_calls_more_and_one_a_change(warehouse: Warehouse, sql: Path, wire: Wire) -> None:
    wire.calls.clear()
    edit(sql, NOTE, "noted", "heard")
    edit(sql, AGENTS, "DISTINCT", "DISTINCT  ")
    assert told(synced(warehouse)) == ["replace dev_operations.note", "replace dev.agents"]
    assert len(wire.calls) == 4 + 2 + 2  # plan; begin and finish; the changes


def test_sync_after_a_change_replaces_that_procedure_alone_and_only_once(warehouse: Warehouse, sql: Path) -> None:
    edit(sql, NOTE, "noted", "heard")
    assert told(synced(warehouse)) == ["replace dev_operations.note"]
    assert "heard" in body(warehouse, "dev_operations.note")
    assert entries(warehouse, 2) == [("ops.note", "replace", "applied")]
    assert told(synced(warehouse)) == []


@pytest.mark.parametrize(
    ("drop", "created"),
    [
        ("DROP PROCEDURE dev_operations.note", ["create dev_operations.note"]),
        ("DROP VIEW dev.agents", ["create dev.agents"]),
        ("DROP TABLE ops_raw.flights", ["create ops_raw.flights"]),
        ("DROP SCHEMA ops_raw CASCADE", ["create ops_raw", "create ops_raw.flights"]),
        ("DROP TABLE dev_operations.deploy_locks", ["create dev_operations.deploy_locks"]),
    ],
)
def test_sync_creates_again_what_was_dropped_in_the_warehouse(
    warehouse: Warehouse, drop: str, created: list[str]
) -> None:
    warehouse.client.query_and_wait(drop)
    assert told(synced(warehouse)) == created
    assert told(synced(warehouse)) == []


def test_sync_after_the_record_itself_was_dropped_adopts_what_is_there(warehouse: Warehouse) -> None:
    warehouse.client.query_and_wait("INSERT INTO dev.fct (agent) VALUES ('AA')")
    warehouse.client.query_and_wait("DROP TABLE dev_operations.deployments")
    assert told(synced(warehouse)) == [
        "create dev_operations.deployments",
        "record dev_operations.deploy_locks",
        "record ops_raw.flights",
        "record dev.fct",
        "record dev_operations.note",
        "record dev.agents",
        "record dev.publish",
    ]
    assert told(synced(warehouse)) == []
    assert len(rows(warehouse, "SELECT agent FROM dev.fct")) == 1


def test_sync_adds_a_tables_new_column_and_keeps_its_rows(warehouse: Warehouse, sql: Path) -> None:
    warehouse.client.query_and_wait("INSERT INTO dev.fct (agent) VALUES ('AA')")
    edit(sql, FCT, "STRING\n", "STRING,\n  seats INT64 OPTIONS (description = 'of the plane')\n")
    assert told(synced(warehouse)) == ["alter dev.fct"]
    assert [tuple(row) for row in rows(warehouse, "SELECT * FROM dev.fct")] == [("AA", None)]
    assert warehouse.client.get_table("dev.fct").schema[1].description == "of the plane"
    assert told(synced(warehouse)) == []


def test_drift_is_seen_overwritten_only_when_asked_and_then_recorded(warehouse: Warehouse) -> None:
    by_hand = "CREATE OR REPLACE PROCEDURE dev_operations.note(IN word STRING) BEGIN SELECT word AS mine; END"
    warehouse.client.query_and_wait(by_hand)
    assert [step.verb for step in planned(warehouse).steps] == ["drifted"]
    assert told(synced(warehouse, Options(overwrite_drift=True))) == ["replace dev_operations.note"]
    assert "noted" in body(warehouse, "dev_operations.note")
    assert told(synced(warehouse)) == []
    # Made again by hand as it is, it is no drift.
    [made] = [made for made in load_definitions(warehouse.config) if made.name.name == "note"]
    warehouse.client.query_and_wait(made.text)
    assert told(synced(warehouse)) == []


def test_prune_drops_what_was_deployed_in_time_and_no_table_with_rows(warehouse: Warehouse, sql: Path) -> None:
    for file in (PUBLISH, AGENTS, FCT):
        (sql / file).unlink()
    warehouse.client.query_and_wait("INSERT INTO dev.fct (agent) VALUES ('AA')")
    pruning = Options(prune=True)
    assert [step.target for step in planned(warehouse, pruning).hindrances] == ["dev.fct"]
    warehouse.client.query_and_wait("DELETE FROM dev.fct WHERE TRUE")
    plan = planned(warehouse, pruning)
    warehouse.client.query_and_wait("INSERT INTO dev.fct (agent) VALUES ('AA')")
    applied = apply_plan(warehouse, plan, Silent())
    assert told(applied) == ["drop dev.publish", "drop dev.agents"]
    assert "dev.fct has rows by now" in applied.failures[0].message
    assert told(synced(warehouse, Options(prune=True, allow_destructive=True))) == ["drop dev.fct"]
    assert told(synced(warehouse, pruning)) == []


def test_a_failure_in_the_middle_says_what_is_applied_and_the_next_sync_goes_on_from_there(
    empty: Warehouse, sql: Path
) -> None:
    edit(sql, NOTE, "SELECT word AS noted;", "IF word IS NULL SELECT 1; END IF;")
    applied = synced(empty, jobs=1)
    assert [step.target for step in applied.done][-2:] == ["ops_raw.flights", "dev.fct"]
    assert [failure.step.target for failure in applied.failures] == ["dev_operations.note"]
    assert [step.target for step in applied.untried] == ["dev.agents", "dev.publish"]
    message, state, untried, rest = lines_of_applied(applied)
    assert message.startswith(f"{sql / NOTE}:3:")
    assert state.endswith("dev.fct. Failed: dev_operations.note.")
    assert untried == "Not tried: dev.agents, dev.publish."
    assert rest == "Mend the cause; the next `deployer sync` goes on from here."
    [row] = rows(empty, "SELECT outcome FROM dev_operations.deployments")
    assert row.outcome == "failed"
    assert entries(empty, 1)[3:] == [
        ("sid.fct", "create", "applied"),
        ("ops.note", "create", "failed"),
        ("sid.agents", "create", "untried"),
        ("sid.publish", "create", "untried"),
    ]
    edit(sql, NOTE, "IF word IS NULL SELECT 1; END IF;", "SELECT word AS noted;")
    assert told(synced(empty)) == ["create dev_operations.note", "create dev.agents", "create dev.publish"]
    assert [each.outcome for each in history(empty, 9)] == ["applied", "failed"]


@pytest.mark.parametrize("roll_back", [True, False])
def test_what_was_replaced_before_a_failure_is_put_back(warehouse: Warehouse, sql: Path, roll_back: bool) -> None:
    edit(sql, NOTE, "noted", "heard")
    edit(sql, AGENTS, "DISTINCT f.agent", "f.agent")
    edit(sql, PUBLISH, "ops.flight > 0", "ops.no_such_column > 0")
    applied = synced(warehouse, jobs=1, roll_back=roll_back)
    assert [failure.step.target for failure in applied.failures] == ["dev.publish"]
    changed = ["dev_operations.note", "dev.agents"]
    assert [step.target for step in (applied.undone if roll_back else applied.done)] == changed
    assert ("noted" in body(warehouse, "dev_operations.note")) == roll_back
    if roll_back:
        assert entries(warehouse, 2) == [
            ("ops.note", "replace", "undone"),
            ("sid.agents", "replace", "undone"),
            ("sid.publish", "replace", "failed"),
            ("ops.note", "put back", "applied"),
            ("sid.agents", "put back", "applied"),
        ]
        assert f"Put back as before: {', '.join(changed)}." in list(lines_of_applied(applied))
    assert lock(warehouse) == [None]
    edit(sql, PUBLISH, "ops.no_such_column > 0", "ops.flight > 1")
    assert [step.target for step in planned(warehouse).steps] == (changed if roll_back else []) + ["dev.publish"]
    assert synced(warehouse).is_complete
    assert told(synced(warehouse)) == []


def test_a_trial_refuses_what_is_wrong_before_anything_is_changed(warehouse: Warehouse, sql: Path, wire: Wire) -> None:
    edit(sql, AGENTS, "f.agent", "f.no_such_column")
    edit(sql, PUBLISH, "ops.flight", "ops.no_such_column")
    edit(sql, NOTE, "noted", "heard")
    plan = planned(warehouse)
    wire.calls.clear()
    assert [step.target for step in can_be_tried(plan)] == ["dev_operations.note", "dev.agents"]
    with pytest.raises(UsageError) as caught:
        refuse_what_fails(warehouse, can_be_tried(plan), 8)
    assert str(caught.value).startswith(f"{sql / AGENTS}:2:17: replace view dev.agents failed: ")
    assert str(caught.value).endswith("Nothing was applied.")
    assert len(wire.calls) == 2 and all(json.loads(call.body or "")["configuration"]["dryRun"] for call in wire.calls)
    assert planned(warehouse) == plan


def test_a_failure_before_the_record_exists_is_told_and_leaves_nothing_unrecorded(empty: Warehouse, sql: Path) -> None:
    edit(sql, "ops/tables/deployments.sql", "INT64", "INT65")
    applied = synced(empty)
    assert applied.failures[0].message.startswith(f"{sql}/ops/tables/deployments.sql:")
    assert [step.target for step in applied.done] == ["dev_operations", "dev_operations.deploy_locks"]
    assert len(applied.untried) == 7


def test_nothing_is_started_when_the_deployment_cannot_be_recorded(warehouse: Warehouse, sql: Path) -> None:
    edit(sql, NOTE, "noted", "heard")
    plan = planned(warehouse)
    warehouse.client.query_and_wait("ALTER TABLE dev_operations.deployments DROP COLUMN code_version")
    with pytest.raises(DeployerError, match=r"^Taking the lock in ops.deploy_locks failed: .*code_version"):
        apply_plan(warehouse, plan, Silent())
    assert "noted" in body(warehouse, "dev_operations.note")
    assert lock(warehouse) == [None]


def test_a_record_that_fails_hides_neither_what_is_done_nor_what_failed(
    warehouse: Warehouse, sql: Path, wire: Wire
) -> None:
    edit(sql, NOTE, "noted", "heard")
    plan = planned(warehouse)

    def refuse(request: requests.PreparedRequest, answer: Answer) -> requests.Response:
        if "ended_at = CURRENT_TIMESTAMP()" in sent(request):
            return refusal(request, 403, "accessDenied", "no more")
        return answer()

    wire.fault = refuse
    applied = apply_plan(warehouse, plan, Silent())
    wire.fault = None
    assert told(applied) == ["replace dev_operations.note"]
    told_last = list(lines_of_applied(applied))[-2]
    assert told_last.startswith("Recording the deployment in ops.deployments failed: no more What is applied")
    # The row says what was planned, so what is there is known for the deployment's own.
    warehouse.client.query_and_wait("UPDATE dev_operations.deploy_locks SET holder = NULL WHERE TRUE")
    assert told(synced(warehouse)) == ["record dev_operations.note"]
    assert [each.outcome for each in history(warehouse, 9)] == ["applied", "interrupted", "applied"]


def test_of_two_syncs_at_once_one_works_and_the_other_says_who_and_since_when(
    warehouse: Warehouse, sql: Path, wire: Wire
) -> None:
    edit(sql, NOTE, "noted", "heard")
    plan = planned(warehouse)
    at_work, go_on = threading.Event(), threading.Event()

    def hold(request: requests.PreparedRequest, answer: Answer) -> requests.Response:
        if sent(request).startswith("CREATE OR REPLACE PROCEDURE dev_operations.note"):
            at_work.set()
            assert go_on.wait(20)
        return answer()

    wire.fault = hold
    results: list[Applied] = []
    first = threading.Thread(target=lambda: results.append(apply_plan(warehouse, plan, Silent())))
    first.start()
    assert at_work.wait(20)
    with pytest.raises(LockHeld, match=r"Another deployment is at work: \S+, process \d+ .*, since \d{4}-") as caught:
        synced(warehouse)
    assert caught.value.exit_status == 3
    # Once the lock has run out, the next one takes it; but the plan must not be older than the other's row.
    warehouse.client.query_and_wait(
        "UPDATE dev_operations.deploy_locks "
        "SET expires_at = TIMESTAMP_SUB(CURRENT_TIMESTAMP(), INTERVAL 1 SECOND) WHERE TRUE"
    )
    with pytest.raises(Superseded):
        apply_plan(warehouse, plan, Silent())
    go_on.set()
    first.join()
    assert told(results[0]) == ["replace dev_operations.note"]
    assert lock(warehouse) == [None]
    wire.fault = None
    assert told(synced(warehouse)) == []


@pytest.mark.parametrize("lost", ["request", "answer"])
def test_calls_that_fail_are_repeated_and_no_work_is_done_twice(empty: Warehouse, lost: str) -> None:
    """Every call fails once, before or after its work was done."""
    tried: set[object] = set()
    wire = Wire(empty)

    def fail_once(request: requests.PreparedRequest, answer: Answer) -> requests.Response:
        key = sent(request)
        if key in tried:
            return answer()
        tried.add(key)
        if lost == "answer":
            answer()
            raise requests.exceptions.ReadTimeout("lost")
        return refusal(request, 503, "backendError", "try again")

    wire.fault = fail_once
    assert synced(empty).is_complete
    wire.fault = None
    assert [each.outcome for each in history(empty, 9)] == ["applied"]
    assert len(entries(empty, 1)) == 7
    assert told(synced(empty)) == []
    assert lock(empty) == [None]


def test_a_quota_that_stays_exceeded_is_reported_after_the_retries(warehouse: Warehouse, sql: Path, wire: Wire) -> None:
    edit(sql, NOTE, "noted", "heard")
    plan = planned(warehouse)

    def refuse(request: requests.PreparedRequest, answer: Answer) -> requests.Response:
        if sent(request).startswith("CREATE OR REPLACE PROCEDURE dev_operations.note"):
            return refusal(request, 403, "rateLimitExceeded", "Exceeded rate limits: too many updates")
        return answer()

    wire.fault = refuse
    wire.calls.clear()
    warehouse.patience = Patience(Retries(seconds=0.1, first_wait=0.01, longest_wait=0.02), lambda _: None)
    applied = apply_plan(warehouse, plan, Silent(), roll_back=False)
    assert len(wire.calls) > 4
    assert "Exceeded rate limits: too many updates; given up after" in applied.failures[0].message


def test_large_definitions_are_recorded_in_parts(
    warehouse: Warehouse, sql: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deployments, "CHUNK_BYTES", 100)
    for name in "abc":
        text = f"CREATE PROCEDURE sid.{name}()\nBEGIN\n  SELECT '{name * 50}';\nEND;\n"
        (sql / f"sid/procedures/{name}.sql").write_text(text)
    assert len(synced(warehouse).done) == 3
    assert [name for name, _, _ in entries(warehouse, 2)] == ["sid.a", "sid.b", "sid.c"]
    assert told(synced(warehouse)) == []


def test_rollback_restores_routines_and_views_and_keeps_tables(warehouse: Warehouse, sql: Path) -> None:
    edit(sql, NOTE, "noted", "heard")
    edit(sql, FCT, "STRING\n", "STRING,\n  seats INT64\n")
    (sql / "sid/procedures/more.sql").write_text("CREATE PROCEDURE sid.more() BEGIN SELECT 1; END")
    (sql / AGENTS).unlink()
    synced(warehouse, Options(prune=True))
    assert earlier(warehouse, None) == earlier(warehouse, 1) == 1
    definitions = definitions_at(warehouse, 1)
    plan = make_plan(definitions, read_state(warehouse, definitions, removed=True), Options(prune=True))
    applied = apply_plan(warehouse, plan, Silent(), outcome="rolled back to 1")
    assert told(applied) == ["replace dev_operations.note", "create dev.agents", "drop dev.more"]
    assert "noted" in body(warehouse, "dev_operations.note")
    assert [field.name for field in warehouse.client.get_table("dev.fct").schema] == ["agent", "seats"]
    assert [each.outcome for each in history(warehouse, 9)] == ["rolled back to 1", "applied", "applied"]
    assert earlier(warehouse, None) == 2
    assert told(synced(warehouse, Options(prune=True))) == [
        "replace dev_operations.note",
        "create dev.more",
        "drop dev.agents",
    ]


def test_every_statement_that_is_sent_is_googlesql(
    warehouse: Warehouse, wire: Wire, sql: Path, googlesql: Parser
) -> None:
    edit(sql, NOTE, "noted", "heard")
    edit(sql, FCT, "STRING\n", "STRING,\n  seats INT64\n")
    edit(sql, PUBLISH, "> 0", "> 1")
    (sql / AGENTS).unlink()
    (sql / "raw/tables/flights.sql").write_text("CREATE TABLE raw.flights (carrier STRING) CLUSTER BY carrier;")
    warehouse.client.query_and_wait("DROP PROCEDURE dev.publish")
    everything = Options(overwrite_drift=True, allow_destructive=True, prune=True)
    assert synced(warehouse, everything).failures[0].step.target == "dev.publish"  # it reads what is no more
    definitions_at(warehouse, earlier(warehouse, 1))
    history(warehouse, 9)
    statements = {json.loads(call.body)["query"] for call in wire.calls if call.body and "/queries" in str(call.url)}
    assert len(statements) > 12
    for statement in statements:
        assert googlesql.parse_script(statement) is not None


def test_rollback_refuses_a_deployment_that_does_not_exist(warehouse: Warehouse) -> None:
    with pytest.raises(UsageError, match=r"deployment 9 does not exist in environment test; there are 1\. "):
        earlier(warehouse, 9)
    with pytest.raises(UsageError, match="there is no deployment before the latest"):
        earlier(warehouse, None)


def test_two_environments_in_one_record_do_not_see_each_other(config: Config) -> None:
    with Warehouse(config) as one:
        synced(one)
    datasets = {"raw": "sid", "sid": "raw", "ops": "dev_operations"}
    other = config.model_copy(update={"environment": "other", "datasets": datasets})
    with Warehouse(other) as two:
        applied = synced(two)
        assert "create sid.flights" in told(applied)
        assert "create raw.publish" in told(applied)
        assert told(synced(two)) == []
    with Warehouse(config) as one:
        assert told(synced(one)) == []


def test_of_two_that_take_the_very_first_lock_at_once_neither_has_it_and_both_give_it_back(
    warehouse: Warehouse, sql: Path
) -> None:
    edit(sql, NOTE, "noted", "heard")
    warehouse.client.query_and_wait(
        "UPDATE dev_operations.deploy_locks SET holder = 'other', "
        "expires_at = TIMESTAMP_ADD(CURRENT_TIMESTAMP(), INTERVAL 1 HOUR) WHERE TRUE"
    )
    # The second row is what an INSERT that met no other leaves.
    warehouse.client.query_and_wait("INSERT INTO dev_operations.deploy_locks (lock_name) VALUES ('deploy')")
    with pytest.raises(LockHeld, match="at work: other"):
        synced(warehouse)
    assert sorted(map(str, lock(warehouse))) == ["None", "other"]
    warehouse.client.query_and_wait("UPDATE dev_operations.deploy_locks SET holder = NULL WHERE TRUE")
    assert synced(warehouse).is_complete
    assert lock(warehouse) == [None, None]

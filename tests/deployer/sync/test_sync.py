"""sync on a warehouse: read, plan and apply through BigQuery's client and the embedded engine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from google.cloud.bigquery import Row

from deployer.config import Config
from deployer.sync.apply import Applied, apply_plan
from deployer.sync.definitions import load_definitions
from deployer.sync.live import read_state
from deployer.sync.plan import Plan, Step, make_plan
from deployer.sync.render import lines_of_failure
from deployer.warehouse import Warehouse

NOTE, FCT = "ops/procedures/note.sql", "sid/tables/fct.sql"


@pytest.fixture
def warehouse(config: Config) -> Iterator[Warehouse]:
    with Warehouse(config) as opened:
        yield opened


def planned(warehouse: Warehouse) -> Plan:
    definitions = load_definitions(warehouse.config)
    return make_plan(definitions, read_state(warehouse, definitions))


def synced(warehouse: Warehouse) -> Applied:
    reported: list[Step] = []
    applied = apply_plan(warehouse, planned(warehouse), reported.append)
    assert tuple(reported) == applied.done
    return applied


def told(applied: Applied) -> list[str]:
    return [f"{step.verb} {step.target}" for step in applied.done]


def rows(warehouse: Warehouse, sql: str) -> list[Row]:
    return list(warehouse.client.query_and_wait(sql))


def edit(sql: Path, file: str, old: str, new: str) -> None:
    text = (sql / file).read_text()
    assert old in text
    (sql / file).write_text(text.replace(old, new))


def statements_run(warehouse: Warehouse) -> list[str]:
    """What every job so far did, in BigQuery's words."""
    return sorted(str(job.statement_type) for job in warehouse.client.list_jobs())


def test_first_sync_creates_everything_under_the_environments_names(warehouse: Warehouse) -> None:
    applied = synced(warehouse)
    assert applied.failure is None
    client = warehouse.client
    assert sorted(item.dataset_id for item in client.list_datasets()) == ["dev", "dev_operations", "ops_raw"]
    assert sorted(item.table_id for item in client.list_tables("dev")) == ["agents", "fct"]
    assert [item.routine_id for item in client.list_routines("dev_operations")] == ["note"]
    client.query_and_wait("INSERT INTO ops_raw.flights (carrier, flight) VALUES ('AA', 1), ('UA', 0)")
    client.query_and_wait("CALL dev.publish()")
    assert [tuple(row) for row in rows(warehouse, "SELECT agent FROM dev.agents")] == [("AA",)]


def test_sync_records_who_what_and_when_in_one_row(warehouse: Warehouse) -> None:
    synced(warehouse)
    [row] = rows(warehouse, "SELECT * FROM dev_operations.deployments")
    assert (row.deployment_id, row.environment, row.outcome) == (1, "test", "applied")
    assert row.deployed_at is not None and row.deployed_by and row.code_version
    assert [(made["object"], made["kind"], made["checksum"], made["definition"]) for made in row.objects] == [
        (str(made.name), made.kind, made.checksum, made.text) for made in load_definitions(warehouse.config)
    ]


def test_second_sync_does_nothing_and_runs_no_statement_but_the_one_that_reads_the_record(
    warehouse: Warehouse,
) -> None:
    synced(warehouse)
    before = statements_run(warehouse)
    assert synced(warehouse) == Applied((), None, ())
    assert statements_run(warehouse) == sorted([*before, "SELECT"])


def test_plan_writes_nothing(warehouse: Warehouse, sql: Path) -> None:
    synced(warehouse)
    edit(sql, NOTE, "noted", "heard")
    before = statements_run(warehouse)
    assert [step.target for step in planned(warehouse).steps] == ["dev_operations.note"]
    assert statements_run(warehouse) == sorted([*before, "SELECT"])


def test_sync_after_a_change_replaces_that_procedure_alone_and_only_once(warehouse: Warehouse, sql: Path) -> None:
    synced(warehouse)
    edit(sql, NOTE, "noted", "heard")
    assert told(synced(warehouse)) == ["replace dev_operations.note"]
    assert "heard" in str(warehouse.client.get_routine("dev_operations.note").body)
    latest = rows(warehouse, "SELECT objects FROM dev_operations.deployments WHERE deployment_id = 2")
    assert [[made["object"] for made in row.objects] for row in latest] == [["ops.note"]]
    assert told(synced(warehouse)) == []


@pytest.mark.parametrize(
    ("drop", "created"),
    [
        ("DROP PROCEDURE dev_operations.note", ["create dev_operations.note"]),
        ("DROP VIEW dev.agents", ["create dev.agents"]),
        ("DROP TABLE ops_raw.flights", ["create ops_raw.flights"]),
        ("DROP SCHEMA ops_raw CASCADE", ["create ops_raw", "create ops_raw.flights"]),
    ],
)
def test_sync_creates_again_what_was_dropped_in_the_warehouse(
    warehouse: Warehouse, drop: str, created: list[str]
) -> None:
    synced(warehouse)
    warehouse.client.query_and_wait(drop)
    assert told(synced(warehouse)) == created
    assert told(synced(warehouse)) == []


def test_sync_after_the_record_itself_was_dropped_adopts_what_is_there(warehouse: Warehouse) -> None:
    synced(warehouse)
    warehouse.client.query_and_wait("INSERT INTO dev.fct (agent) VALUES ('AA')")
    warehouse.client.query_and_wait("DROP TABLE dev_operations.deployments")
    assert told(synced(warehouse)) == [
        "create dev_operations.deployments",
        "record ops_raw.flights",
        "record dev.fct",
        "replace dev_operations.note",
        "replace dev.agents",
        "replace dev.publish",
    ]
    assert told(synced(warehouse)) == []
    assert len(rows(warehouse, "SELECT agent FROM dev.fct")) == 1


def test_sync_adds_a_tables_new_column_and_keeps_its_rows(warehouse: Warehouse, sql: Path) -> None:
    synced(warehouse)
    warehouse.client.query_and_wait("INSERT INTO dev.fct (agent) VALUES ('AA')")
    edit(sql, FCT, "STRING\n", "STRING,\n  seats INT64 OPTIONS (description = 'of the plane')\n")
    assert told(synced(warehouse)) == ["alter dev.fct"]
    assert [tuple(row) for row in rows(warehouse, "SELECT * FROM dev.fct")] == [("AA", None)]
    assert warehouse.client.get_table("dev.fct").schema[1].description == "of the plane"
    assert told(synced(warehouse)) == []


def test_a_failure_in_the_middle_says_what_is_applied_and_the_next_sync_goes_on_from_there(
    warehouse: Warehouse, sql: Path
) -> None:
    edit(sql, NOTE, "SELECT word AS noted;", "IF word IS NULL SELECT 1; END IF;")
    applied = synced(warehouse)
    assert [step.target for step in applied.done][-2:] == ["ops_raw.flights", "dev.fct"]
    assert applied.failure is not None and applied.failure.step.target == "dev_operations.note"
    assert [step.target for step in applied.untried] == ["dev.agents", "dev.publish"]
    message, state, rest = lines_of_failure(applied)
    assert message.startswith(f"{sql / NOTE}:3:")
    assert "dev.fct. Failed: dev_operations.note." in state
    assert rest.startswith("Not tried: dev.agents, dev.publish.")
    [row] = rows(warehouse, "SELECT outcome, objects FROM dev_operations.deployments")
    assert row.outcome == "failed"
    assert [made["object"] for made in row.objects] == ["ops.deployments", "raw.flights", "sid.fct"]

    edit(sql, NOTE, "IF word IS NULL SELECT 1; END IF;", "SELECT word AS noted;")
    assert told(synced(warehouse)) == ["create dev_operations.note", "create dev.agents", "create dev.publish"]
    outcomes = rows(warehouse, "SELECT outcome FROM dev_operations.deployments ORDER BY deployment_id")
    assert [row.outcome for row in outcomes] == ["failed", "applied"]


def test_a_failure_that_put_nothing_in_place_is_recorded_too(warehouse: Warehouse, sql: Path) -> None:
    synced(warehouse)
    edit(sql, "sid/views/agents.sql", "f.agent", "f.no_such_column")
    applied = synced(warehouse)
    assert applied.failure is not None and applied.done == ()
    latest = rows(warehouse, "SELECT outcome, objects FROM dev_operations.deployments WHERE deployment_id = 2")
    assert [(row.outcome, row.objects) for row in latest] == [("failed", [])]


def test_a_failure_before_the_record_exists_is_told_and_leaves_nothing_unrecorded(
    warehouse: Warehouse, sql: Path
) -> None:
    edit(sql, "ops/tables/deployments.sql", "INT64", "INT65")
    applied = synced(warehouse)
    assert applied.failure is not None
    assert applied.failure.message.startswith(f"{sql}/ops/tables/deployments.sql:")
    assert {step.kind for step in applied.done} == {"DATASET"}


def test_a_record_that_fails_hides_neither_what_is_done_nor_what_failed(warehouse: Warehouse, sql: Path) -> None:
    synced(warehouse)
    warehouse.client.query_and_wait("ALTER TABLE dev_operations.deployments DROP COLUMN code_version")
    edit(sql, NOTE, "noted", "heard")
    edit(sql, "sid/views/agents.sql", "f.agent", "f.no_such_column")
    applied = synced(warehouse)
    assert told(applied) == ["replace dev_operations.note"]
    message, _, _, record = lines_of_failure(applied)
    assert message.startswith(f"{sql}/sid/views/agents.sql:")
    assert record.startswith("Recording the deployment in ops.deployments failed: ")
    assert [step.target for step in planned(warehouse).steps] == ["dev_operations.note", "dev.agents"]


def test_two_environments_in_one_record_do_not_see_each_other(config: Config) -> None:
    with Warehouse(config) as one:
        synced(one)
    other = config.model_copy(
        update={"environment": "other", "datasets": {"raw": "sid", "sid": "raw", "ops": "dev_operations"}}
    )
    with Warehouse(other) as two:
        applied = synced(two)
        assert "create sid.flights" in told(applied)
        assert "create raw.publish" in told(applied)
        assert told(synced(two)) == []
    with Warehouse(config) as one:
        assert told(synced(one)) == []

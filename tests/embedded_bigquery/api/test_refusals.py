"""What the API refuses, at once and with BigQuery's reason: labels, names, schemas, layouts, shapes of bodies."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from embedded_bigquery.api import Api
from embedded_bigquery.engine import Engine

Ask = Callable[..., tuple[int, Any]]
DAY, NUMBER, TEXT = {"name": "d", "type": "DATE"}, {"name": "n", "type": "INT64"}, {"name": "s", "type": "STRING"}
COLUMNS: list[dict[str, Any]] = [
    DAY,
    {**NUMBER, "mode": "REQUIRED"},
    {"name": "r", "type": "RECORD", "fields": [{**TEXT, "maxLength": "9"}]},
]
RANGE = {"field": "n", "range": {"start": "0", "end": "10", "interval": "1"}}


@pytest.fixture(scope="module")
def ask() -> Iterator[Ask]:
    """Sends a request below the project; gives its status, and its body or error item."""
    api = Api(Engine(None, "local", "EU"))

    def send(method: str, path: str, body: Any = None, **query: str) -> tuple[int, Any]:
        answer = api.handle(method, f"/bigquery/v2/projects/local/{path}", query, json.dumps(body or {}).encode())
        found = answer.body
        return answer.status, found["error"]["errors"][0] if answer.status >= 400 else found

    send("POST", "datasets", {"datasetReference": {"datasetId": "d"}})
    send("POST", "datasets/d/tables", {"tableReference": {"tableId": "t"}, "schema": {"fields": COLUMNS}})
    query = {"query": "SELECT 1 AS x", "useLegacySql": False}
    send("POST", "datasets/d/tables", {"tableReference": {"tableId": "v"}, "view": query})
    yield send
    api.close()


def table(*fields: Any, **keys: Any) -> dict[str, Any]:
    return {"tableReference": {"tableId": "new"}, "schema": {"fields": list(fields)}, **keys}


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (table(NUMBER, tableReference={"tableId": "a$b"}), 'Invalid table ID "a$b".'),
        (table(NUMBER, tableReference={"tableId": "a", "projectId": "p"}), 'Value "p" in content does not agree with'),
        (table(NUMBER, labels={"Key": "x"}), 'Label key "Key" has invalid characters'),
        (table(NUMBER, labels={"key": "X"}), 'Label value "X" has invalid characters'),
        (table(NUMBER, labels={f"k{n}": "" for n in range(65)}), "Too many labels: 65"),
        (table({**NUMBER, "name": "a.b"}), 'Invalid field name "a.b".'),
        (table({**NUMBER, "name": "_PARTITIONTIME"}), 'Invalid field name "_PARTITIONTIME".'),
        (table(NUMBER, {**TEXT, "name": "N"}), "Duplicate field name: N"),
        (table({"name": "r", "type": "RECORD"}), "Field r is type RECORD but has no schema"),
        (table({**NUMBER, "mode": "SOME"}), "Invalid value for schema.fields[0].mode: SOME"),
        (table({**NUMBER, "type": "NUMBER"}), "Invalid value for type: NUMBER"),
        (table({**NUMBER, "maxLength": "many"}), "Invalid value for schema.fields[0].maxLength: many"),
        (table({"name": "n"}), "Required parameter is missing: type"),
        (table({**TEXT, "policyTags": {"names": ["x"]}}), "not supported: policy tags of column s"),
        (table({**TEXT, "collation": "und:ci"}), "not supported: collation of column s"),
        (table(TEXT, timePartitioning={"type": "DAY", "field": "s"}), "TIMESTAMP, DATETIME or DATE. The type found is"),
        (table(DAY, timePartitioning={"type": "DAY", "field": "z"}), "cannot be found in the schema: z"),
        (table(DAY, timePartitioning={"type": "HOUR", "field": "d"}), "can only be of type TIMESTAMP or DATETIME."),
        (table(DAY, timePartitioning={"type": "WEEK", "field": "d"}), "timePartitioning.type: WEEK"),
        (table(NUMBER, timePartitioning={"type": "DAY"}, rangePartitioning=RANGE), "Only one of timePartitioning"),
        (table(DAY, rangePartitioning=RANGE), "cannot be found in the schema: n"),
        (
            table({**TEXT, "name": "n"}, rangePartitioning=RANGE),
            "can only be of type INTEGER. The type found is: STRING",
        ),
        (table(NUMBER, rangePartitioning={**RANGE, "range": {"start": 5, "end": 5, "interval": 1}}), "start 5, end 5"),
        (table(NUMBER, rangePartitioning={**RANGE, "range": {"start": 0, "end": 10_001, "interval": 1}}), "Too many"),
        (table(NUMBER, clustering={"fields": ["z"]}), "The field specified for clustering cannot be found"),
        (table({**NUMBER, "type": "FLOAT64"}, clustering={"fields": ["n"]}), "of type FLOAT64 is not allowed"),
        (table(NUMBER, clustering={"fields": list("nnnnn")}), "Clustering takes one to 4 fields"),
        (table(NUMBER, requirePartitionFilter=True), "require_partition_filter can be set for partitioned tables only"),
        (table(NUMBER, tableConstraints={"primaryKey": {"columns": ["z"]}}), "Column z of a key does not exist"),
        (table(NUMBER, externalDataConfiguration={"sourceFormat": "CSV"}), "not supported: external tables"),
    ],
)
def test_a_table_that_cannot_be_is_refused(ask: Ask, body: Any, message: str) -> None:
    status, error = ask("POST", "datasets/d/tables", body)
    assert status == 400 and message in error["message"]
    assert error["reason"] == ("invalidQuery" if message.startswith("not supported") else "invalid")


def columns(*changes: tuple[int, dict[str, Any]]) -> dict[str, Any]:
    fields = [dict(column) for column in COLUMNS]
    for position, change in changes:
        fields[position] |= change
    return {"schema": {"fields": fields}}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"schema": {"fields": COLUMNS[:2]}}, "Table local:d.t. Field r is missing in new schema"),
        (columns((0, {"type": "STRING"})), "Field d has changed type from DATE to STRING"),
        (columns((0, {"mode": "REQUIRED"})), "Field d has changed mode from NULLABLE to REQUIRED"),
        (columns((0, {"mode": "REPEATED"})), "Field d has changed mode from NULLABLE to REPEATED"),
        (columns((2, {"fields": [NUMBER]})), "Field r.s is missing in new schema"),
        (columns((2, {"fields": [{**TEXT, "maxLength": "5"}]})), "Field r.s has changed to a size that holds less"),
        (
            {"schema": {"fields": [*COLUMNS, {"name": "z", "type": "INT64", "mode": "REQUIRED"}]}},
            "Cannot add required fields to an existing schema. (field: z)",
        ),
        ({"timePartitioning": {"type": "DAY"}}, "Cannot convert non partitioned/clustered table to partitioned"),
        (
            {"view": {"query": "SELECT 1"}},
            "local:d.t is not allowed for this operation because it is currently a TABLE.",
        ),
        ({"clustering": {"fields": ["z"]}}, "The field specified for clustering cannot be found in the schema: z"),
    ],
)
def test_a_change_that_rows_cannot_follow_is_refused(ask: Ask, change: Any, message: str) -> None:
    status, error = ask("PATCH", "datasets/d/tables/t", change)
    assert (status, error["reason"]) == (400, "invalid") and message in error["message"]


def test_columns_are_matched_by_name_and_new_ones_come_last(ask: Ask) -> None:
    ask(
        "POST", "datasets/d/tables", {**table({**NUMBER, "mode": "REQUIRED"}, TEXT), "tableReference": {"tableId": "u"}}
    )
    fields = [DAY, {**TEXT, "description": "text", "defaultValueExpression": "'x'"}, NUMBER]
    status, found = ask("PATCH", "datasets/d/tables/u", {"schema": {"fields": fields}})
    assert (status, [(field["name"], field["mode"]) for field in found["schema"]["fields"]]) == (
        200,
        [("n", "NULLABLE"), ("s", "NULLABLE"), ("d", "NULLABLE")],
    )
    assert found["schema"]["fields"][1]["description"] == "text"
    ask("POST", "queries", {"query": "INSERT d.u (d) VALUES (NULL)", "useLegacySql": False})
    _, rows = ask("GET", "datasets/d/tables/u/data")
    assert rows["rows"] == [{"f": [{"v": None}, {"v": "x"}, {"v": None}]}]


@pytest.mark.parametrize(
    ("method", "path", "body", "message"),
    [
        ("POST", "datasets", {"datasetReference": {"datasetId": "a-b"}}, 'Invalid dataset ID "a-b".'),
        ("POST", "datasets", {}, 'Invalid dataset ID "".'),
        (
            "POST",
            "datasets",
            {"datasetReference": {"datasetId": "e"}, "defaultTableExpirationMs": "1000"},
            "Invalid default table expiration: 1000 ms",
        ),
        ("PATCH", "datasets/d", {"labels": {"Key": "x"}}, 'Label key "Key" has invalid characters'),
        ("PATCH", "datasets/d", {"location": "US"}, "Cannot change the location of dataset local:d from EU"),
        ("POST", "jobs", {"configuration": {}}, "exactly one job-specific configuration object"),
        ("POST", "jobs", {"configuration": {"query": {}}}, "Required parameter is missing: query"),
        ("POST", "jobs", {"configuration": {"copy": {}}}, "Required parameter is missing: destinationTable"),
        (
            "POST",
            "jobs",
            {"configuration": {"query": {"query": "SELECT 1"}, "load": {"destinationTable": {}}}},
            "datasetId",
        ),
        ("POST", "jobs", {"configuration": {"query": {"query": "SELECT 1"}, "labels": {"K": ""}}}, 'Label key "K"'),
        ("POST", "jobs", {"configuration": {"query": {"query": "SELECT 1"}, "jobTimeoutMs": "-5"}}, "jobTimeoutMs: -5"),
        ("POST", "jobs", {"configuration": {"query": {"query": "SELECT 1", "priority": "LOW"}}}, "priority: LOW"),
        (
            "POST",
            "jobs",
            {"jobReference": {"projectId": "p"}, "configuration": {"query": {"query": "SELECT 1"}}},
            'Value "p" in content does not agree with value "local".',
        ),
        ("POST", "queries", {"query": "SELECT 1", "maximumBytesBilled": "x"}, "maximumBytesBilled: x"),
        ("POST", "queries", {"query": "SELECT 1", "queryParameters": 1}, "queryParameters: 1"),
        ("POST", "queries", {"query": "SELECT 1", "writeDisposition": "WRITE"}, "writeDisposition: WRITE"),
        ("POST", "datasets/d/routines", {"routineType": "PROCEDURE"}, "Required parameter is missing: definitionBody"),
        ("POST", "datasets/d/tables/t/insertAll", {"rows": ["x"]}, "Invalid value for rows[0]: x"),
    ],
)
def test_a_request_that_makes_no_sense_is_refused_at_once(
    ask: Ask, method: str, path: str, body: Any, message: str
) -> None:
    status, error = ask(method, path, body)
    assert (status, error["reason"]) == (400, "invalid") and message in error["message"]


def routine(**keys: Any) -> dict[str, Any]:
    body = {"routineType": "SCALAR_FUNCTION", "routineReference": {"routineId": "f"}, "definitionBody": "x + 1"}
    return {**body, "arguments": [{"name": "x", "dataType": {"typeKind": "INT64"}}], **keys}


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (routine(routineReference={"routineId": "f-g"}), 'Invalid routine ID "f-g".'),
        (routine(arguments=[{"name": "x", "dataType": {"typeKind": "INT"}}] * 2), "Duplicate argument name x"),
        (routine(arguments=[{"name": "x", "dataType": {"typeKind": "FOO"}}]), "Invalid value for typeKind: FOO"),
        (routine(definitionBody="x +"), "Syntax error"),
        (routine(definitionBody="x + y"), "Unrecognized name: y at [1:5]"),
        (routine(returnType={"typeKind": "DATE"}), "Function declared to return DATE but the function body produces"),
        (routine(language="JAVASCRIPT"), "Function f in JavaScript must have a return type"),
        (routine(language="PYTHON"), "not supported: routine in PYTHON"),
        (routine(routineType="AGGREGATE_FUNCTION", definitionBody="SUM(z)"), "Unrecognized name: z at [1:5]"),
        (
            routine(routineType="TABLE_VALUED_FUNCTION", definitionBody="SELECT * FROM d.none"),
            "Not found: Table local:d.none",
        ),
        (
            routine(routineType="PROCEDURE", definitionBody="BEGIN SELEC 1; END"),
            'Unexpected identifier "SELEC" at [1:7]',
        ),
        (routine(sparkOptions={}), "not supported: routine with sparkOptions"),
    ],
)
def test_a_routine_whose_body_is_wrong_is_refused(ask: Ask, body: Any, message: str) -> None:
    status, error = ask("POST", "datasets/d/routines", body)
    assert status in (400, 404) and message in error["message"]


def test_a_list_read_while_its_items_go_misses_none(ask: Ask) -> None:
    for name in "abcde":
        ask("POST", "datasets", {"datasetReference": {"datasetId": f"list_{name}"}})
    seen, token = [], ""
    while True:
        _, found = ask("GET", "datasets", maxResults="2", pageToken=token)
        for item in found["datasets"]:
            name = item["datasetReference"]["datasetId"]
            seen.append(name)
            if name.startswith("list_"):
                ask("DELETE", f"datasets/{name}")
        if (token := found.get("nextPageToken", "")) == "":
            break
    assert seen == ["d", *(f"list_{name}" for name in "abcde")]

import pytest
from google.api_core import exceptions
from google.cloud import bigquery

INT64 = bigquery.StandardSqlDataType(bigquery.StandardSqlTypeNames.INT64)

ALL = ["type_", "language", "arguments", "body"]  # an update replaces the whole routine


def function(name: str, body: str) -> bigquery.Routine:
    return bigquery.Routine(
        f"local.d.{name}",
        type_="SCALAR_FUNCTION",
        language="SQL",
        body=body,
        arguments=[bigquery.RoutineArgument(name="x", data_type=INT64)],
    )


def test_a_procedure_is_created_called_and_replaced(client: bigquery.Client) -> None:
    routine = bigquery.Routine("local.d.p", type_="PROCEDURE", body="BEGIN SELECT 1 AS y; END")
    routine = client.create_routine(routine)
    assert (routine.body, routine.language, routine.type_) == ("BEGIN SELECT 1 AS y; END", "SQL", "PROCEDURE")
    assert [row.y for row in client.query_and_wait("CALL d.p()")] == [1]
    routine.body = "BEGIN SELECT 2 AS y; END"
    changed = client.update_routine(routine, ALL)
    assert [row.y for row in client.query_and_wait("CALL d.p()")] == [2]
    assert changed.created == routine.created and changed.etag != routine.etag
    client.delete_routine("d.p")
    with pytest.raises(exceptions.NotFound, match=r"Routine local:d\.p"):
        client.get_routine("d.p")


def test_an_update_of_an_old_version_is_refused(client: bigquery.Client) -> None:
    old = client.create_routine(function("plus", "x + 1"))
    old.body = "x + 2"
    client.update_routine(client.get_routine("d.plus"), ALL)
    with pytest.raises(exceptions.PreconditionFailed):
        client.update_routine(old, ALL)


def test_a_procedure_made_by_sql_is_read_with_its_arguments(client: bigquery.Client) -> None:
    client.query_and_wait("CREATE PROCEDURE d.p(IN day DATE, OUT n INT64) BEGIN SET n = 1; END")
    routine = client.get_routine("d.p")
    assert routine.type_ == "PROCEDURE"
    assert [(item.name, item.mode) for item in routine.arguments] == [("day", "IN"), ("n", "OUT")]
    assert routine.body.split() == ["BEGIN", "SET", "n", "=", "1;", "END"]


def test_the_list_says_kind_and_version_of_each(client: bigquery.Client) -> None:
    client.create_routine(function("b", "x"))
    client.query_and_wait("CREATE PROCEDURE d.a() BEGIN SELECT 1; END")
    first, second = client.list_routines("d")
    assert (first.routine_id, first.type_, second.routine_id) == ("a", "PROCEDURE", "b")
    assert first.etag and first.modified and first.body is None


def test_a_routine_that_exists_is_a_conflict(client: bigquery.Client) -> None:
    client.create_routine(function("plus", "x"))
    with pytest.raises(exceptions.Conflict):
        client.create_routine(function("plus", "x"))
    client.create_routine(function("plus", "x"), exists_ok=True)


@pytest.mark.parametrize(
    ("body", "message"),
    [("BEGIN SELECT 1", "Syntax error"), ("BEGIN SELECT x FROM d.none; END", r"local:d\.none")],
)
def test_a_procedure_whose_body_cannot_run_is_refused(client: bigquery.Client, body: str, message: str) -> None:
    with pytest.raises(exceptions.ClientError, match=message):
        client.create_routine(bigquery.Routine("local.d.p", type_="PROCEDURE", body=body))
    assert list(client.list_routines("d")) == []


def test_without_strict_mode_only_the_grammar_of_a_body_counts(client: bigquery.Client) -> None:
    body = "BEGIN SELECT x FROM d.none; END"
    routine = bigquery.Routine("local.d.p", type_="PROCEDURE", body=body)
    routine._properties["strictMode"] = False  # the client has no property for it
    client.create_routine(routine)
    assert client.get_routine("d.p").body == body


def test_a_routine_without_a_kind_or_a_body_is_refused(client: bigquery.Client) -> None:
    with pytest.raises(exceptions.BadRequest, match="Required parameter is missing: routineType"):
        client.create_routine(bigquery.Routine("local.d.x", body="1"))
    with pytest.raises(exceptions.BadRequest, match="definitionBody"):
        client.create_routine(bigquery.Routine("local.d.x", type_="PROCEDURE"))

"""types.py: BigQuery's types, their DuckDB storage and the API's field schema."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from embedded_bigquery.types import (
    INT64,
    SCALARS,
    STRING,
    Field,
    Type,
    array_of,
    field_from_api,
    quoted,
    struct_of,
)

scalars = st.sampled_from(SCALARS).map(Type)
names = st.from_regex(r"[a-z_][a-z0-9_]{0,8}", fullmatch=True)


def struct_types(inner: st.SearchStrategy[Type]) -> st.SearchStrategy[Type]:
    fields = st.builds(Field, name=names, type=inner)
    unique = st.lists(fields, min_size=1, max_size=4, unique_by=lambda field: field.name)
    return unique.map(lambda members: Type("STRUCT", fields=tuple(members)))


def not_array(kind: Type) -> bool:
    return not kind.is_array  # BigQuery has no ARRAY of ARRAY


types = st.recursive(scalars, lambda inner: struct_types(inner) | inner.filter(not_array).map(array_of), max_leaves=8)


@given(st.builds(Field, name=names, type=types, description=st.none() | st.text(max_size=20)))
def test_field_api_round_trips_every_type(field: Field) -> None:
    assert field_from_api(field.api()) == field


@given(st.builds(Field, name=names, type=scalars, required=st.booleans()))
def test_field_api_keeps_required_mode(field: Field) -> None:
    assert field_from_api(field.api()) == field


def test_field_api_uses_legacy_names_for_integer_float_and_record() -> None:
    resource = Field("s", array_of(struct_of(("a", INT64), ("b", Type("FLOAT64"))))).api()
    assert (resource["type"], resource["mode"]) == ("RECORD", "REPEATED")
    assert [member["type"] for member in resource["fields"]] == ["INTEGER", "FLOAT"]


@pytest.mark.parametrize(
    ("kind", "precision"),
    [("NUMERIC", {"precision": "10", "scale": "2"}), ("STRING", {"maxLength": "5"})],
)
def test_field_api_keeps_declared_sizes(kind: str, precision: dict[str, str]) -> None:
    field = Field("c", Type(kind), parameters=tuple(int(size) for size in precision.values()))
    resource = field.api()
    assert {key: resource[key] for key in precision} == precision
    assert field_from_api(resource) == field


def test_type_duckdb_gives_anonymous_and_repeated_struct_fields_unique_names() -> None:
    kind = struct_of(("", INT64), ("a", STRING), ("A", STRING))
    assert kind.duckdb() == 'STRUCT("_field_1" BIGINT, "a" VARCHAR, "_field_3" VARCHAR)'


def test_type_sql_spells_nested_types_as_googlesql_does() -> None:
    kind = array_of(struct_of(("a", INT64), ("", Type("RANGE", element=Type("DATE")))))
    assert str(kind) == "ARRAY<STRUCT<a INT64, RANGE<DATE>>>"


def test_quoted_escapes_the_quote_itself() -> None:
    assert quoted('a"b') == '"a""b"'

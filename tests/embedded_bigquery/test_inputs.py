from datetime import UTC, date, datetime
from typing import Any

import pytest

from embedded_bigquery.errors import InvalidValue
from embedded_bigquery.inputs import from_api, from_json, parameter_type, scalar
from embedded_bigquery.types import DATE, INT64, INTERVAL, STRING, Type, array_of, struct_of


@pytest.mark.parametrize(
    ("resource", "kind"),
    [
        ({"type": "INTEGER"}, INT64),
        ({"type": "ARRAY", "arrayType": {"type": "STRING"}}, array_of(STRING)),
        ({"type": "STRUCT", "structTypes": [{"name": "a", "type": {"type": "DATE"}}]}, struct_of(("a", DATE))),
        ({"type": "RANGE", "rangeElementType": {"type": "DATE"}}, Type("RANGE", element=DATE)),
    ],
)
def test_parameter_types(resource: dict[str, Any], kind: Type) -> None:
    assert parameter_type(resource) == kind


def test_an_unknown_parameter_type_is_refused() -> None:
    with pytest.raises(InvalidValue, match="Invalid query parameter type: NUMBER"):
        parameter_type({"type": "NUMBER"})


def test_parameter_values_of_every_shape() -> None:
    row = struct_of(("a", INT64), ("b", array_of(STRING)))
    value = {"structValues": {"a": {"value": "1"}, "b": {"arrayValues": [{"value": "x"}]}}}
    assert from_api(value, row) == (1, ["x"])
    assert from_api({}, row) is None
    assert from_api({"structValues": {}}, row) == (None, [])
    assert from_api({"arrayValues": [value]}, array_of(row)) == [(1, ["x"])]
    day = Type("RANGE", element=DATE)
    assert from_api({"rangeValue": {"start": {"value": "2013-01-07"}}}, day) == (date(2013, 1, 7), None)
    assert from_json("[2013-01-07, UNBOUNDED)", day) == (date(2013, 1, 7), None)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("1-2 3 4:5:6.5", (14, 3, ((4 * 60 + 5) * 60 + 6) * 1_000_000 + 500_000)),
        ("-1-2 -3 -0:0:1", (-14, -3, -1_000_000)),
        ("-0-2 0 0:0:0", (-2, 0, 0)),
    ],
)
def test_intervals_in_canonical_form(text: str, parts: tuple[int, int, int]) -> None:
    assert from_api({"value": text}, INTERVAL) == parts


@pytest.mark.parametrize(
    "text", ["2013-01-07T00:00:00Z", "2013-01-07 00:00:00 UTC", "2013-01-07", "2013-01-07 01:00:00+01:00", "1357516800"]
)
def test_every_way_to_write_an_instant(text: str) -> None:
    assert scalar(text, "TIMESTAMP") == datetime(2013, 1, 7, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("1.5", "INT64"),
        (2**63, "INT64"),
        ("x", "FLOAT64"),
        ("x", "NUMERIC"),
        ("yes", "BOOL"),
        ("?", "BYTES"),
        ("2013-02-29", "DATE"),
        ("25:00:00", "TIME"),
        ("now", "TIMESTAMP"),
        ("{", "JSON"),
        ("1 day", "INTERVAL"),
    ],
)
def test_a_value_that_is_none_of_its_type_is_refused(value: object, kind: str) -> None:
    with pytest.raises(InvalidValue, match=f"Bad {kind.lower()} value"):
        scalar(value, kind)

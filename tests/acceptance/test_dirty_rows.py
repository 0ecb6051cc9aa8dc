"""Raw rows that are wrong, twice there or unknown elsewhere: what the targets and ops.rejected_rows hold of them."""

from __future__ import annotations

import json
from datetime import date, datetime
from pathlib import Path
from typing import Any

from expected import insertion, literal
from warehouse import Warehouse, assert_targets, flight, january, snapshot

TRANSFER = "sid_fct_departure"
FAULTS: dict[str, list[dict[str, Any]]] = {
    "carrier": [{"carrier": None}],
    "flight": [{"flight": None}],
    "origin": [{"origin": None}],
    "destination": [{"dest": None}],
    "scheduled time": [{"sched_dep_time": time} for time in (2460, 1275, 60, 2400, -5, None)],
}


def rejected(warehouse: Warehouse) -> list[tuple[Any, ...]]:
    return warehouse.query("SELECT transfer, business_date, reason, row_json FROM ops.rejected_rows")


def assert_rejected(warehouse: Warehouse, published: list[date]) -> None:
    """One row for each unusable raw row, whatever was rejected before."""

    def plain(row: dict[str, Any]) -> str:
        texts = {name: f"{value}"[:10] if isinstance(value, date) else value for name, value in row.items()}
        return json.dumps(texts, sort_keys=True)

    found = rejected(warehouse)
    rows = [json.loads(row[3]) for row in found]
    for row in rows:
        row["time_hour"] = row["time_hour"] and row["time_hour"][:10]
    assert sorted(map(plain, rows)) == sorted(map(plain, warehouse.expected.rejected(published)))
    assert [row[1].isoformat() for row in found] == [row["flight_date"] for row in rows]
    assert {row[0] for row in found} <= {TRANSFER}
    assert all(row[2] for row in found)


def test_rows_without_a_natural_key_or_destination_are_rejected_with_their_reason(empty: Warehouse) -> None:
    row = flight(empty, january(7), "HA")
    before = flight(empty, january(6), "HA")
    changes = [change for group in FAULTS.values() for change in group]
    empty.correct(*(insertion(row, **change) for change in changes), insertion(before, dest=None))
    empty.publish(january(6), january(8))
    assert_targets(empty, [january(6), january(7), january(8)])
    assert_rejected(empty, [january(6), january(7), january(8)])

    reasons: dict[str, set[str]] = {}
    for _, day, reason, text in rejected(empty):
        if day == january(7):
            found = json.loads(text)
            [fault] = [name for name, group in FAULTS.items() if any(found == found | change for change in group)]
            reasons.setdefault(fault, set()).add(reason)
    assert reasons.keys() == FAULTS.keys()
    assert sum(len(texts) for texts in reasons.values()) == len(set().union(*reasons.values())), reasons


def test_rejected_rows_of_a_day_are_replaced_when_it_is_run_again(empty: Warehouse) -> None:
    for day in (6, 7):
        row = flight(empty, january(day), "HA")
        empty.correct(insertion(row, carrier=None), insertion(row, sched_dep_time=2460))
    empty.publish(january(6), january(7))
    empty.run(TRANSFER, january(7), january(7))
    assert len(rejected(empty)) == 4
    assert_rejected(empty, [january(6), january(7)])
    empty.correct("UPDATE raw.flights SET sched_dep_time = 1030 WHERE sched_dep_time = 2460 AND day = 7")
    empty.correct("DELETE FROM raw.flights WHERE carrier IS NULL AND day = 7")
    empty.publish(january(7), january(7))
    assert {row[1] for row in rejected(empty)} == {january(6)}
    assert_rejected(empty, [january(6), january(7)])
    assert_targets(empty, [january(6), january(7)])
    empty.run(TRANSFER, january(7), january(7), "truncate")
    assert_rejected(empty, [january(6), january(7)])


def test_rejected_duplicate_never_hides_the_sound_row(empty: Warehouse) -> None:
    row = flight(empty, january(7), "HA")
    empty.correct(insertion(row, dest=None, time_hour=datetime(2013, 1, 9)))
    empty.publish(january(7), january(7))
    assert_targets(empty, [january(7)])
    assert_rejected(empty, [january(7)])


def test_of_duplicates_the_latest_time_hour_is_published_once(empty: Warehouse) -> None:
    ha, dl, aa, b6 = (flight(empty, january(7), carrier) for carrier in ("HA", "DL", "AA", "B6"))
    empty.correct(
        insertion(ha),
        insertion(ha),
        insertion(dl, dep_delay=91, time_hour=datetime(2013, 1, 8, 3)),
        insertion(dl, dep_delay=92, time_hour=datetime(2013, 1, 8, 2)),
        insertion(aa, dep_delay=93, time_hour=datetime(2013, 1, 7, 1)),
        insertion(b6, dep_delay=94, time_hour=None),
        insertion(b6, flight=9001, sched_dep_time=0, time_hour=None),
        insertion(b6, flight=9001, sched_dep_time=2359),
    )
    empty.publish(january(7), january(7))
    assert_targets(empty, [january(7)])


def test_of_duplicates_with_one_time_hour_the_same_is_published_whatever_order_they_landed_in(
    seeded: Warehouse, tmp_path: Path
) -> None:
    row = flight(seeded, january(7), "HA")
    changes: list[dict[str, Any]] = [
        {"dep_delay": 91},
        {"dest": "SFO"},
        {"tailnum": None},
        {"tailnum": "N10156"},
        {"arr_time": 1, "hour": 2},
    ]
    published = []
    for name, landed in (("forth", changes), ("back", changes[::-1])):
        (tmp_path / name).mkdir()
        warehouse = seeded.copy(tmp_path / name)
        warehouse.correct(*(insertion(row, **change) for change in landed))
        warehouse.publish(january(7), january(7))
        published.append(snapshot(warehouse))
    assert published[0] == published[1]
    assert len(published[0]["sid.fct_departure"]) == len(seeded.expected.departures([january(7)]))


def test_agent_and_plane_that_no_dimension_knows_are_published_without_name_and_seats(empty: Warehouse) -> None:
    row = flight(empty, january(7), "HA")
    empty.correct(insertion(row, carrier="ZZ", tailnum="N0ZZZZ"))
    empty.publish(january(7), january(8))
    assert_targets(empty, [january(7), january(8)])


def test_dimension_row_that_landed_twice_doubles_nothing(empty: Warehouse) -> None:
    tail_number = flight(empty, january(7), "HA")["tailnum"]
    [plane] = [row for row in empty.expected.raw("planes") if row["tailnum"] == tail_number]
    empty.correct(
        "INSERT INTO raw.airlines (carrier, name) SELECT carrier, name FROM raw.airlines WHERE carrier = 'HA'",
        f"INSERT INTO raw.planes ({', '.join(plane)}) VALUES ({', '.join(map(literal, plane.values()))})",
    )
    empty.publish(january(7), january(7))
    assert_targets(empty, [january(7)])

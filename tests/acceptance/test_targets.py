"""The three targets after real runs: equal, row for row, to what `expected` computes from the Parquet files."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

from expected import days, insertion
from warehouse import COLUMNS, WEEK, Warehouse, assert_targets, flight, january, snapshot


def test_first_run_makes_the_warehouse_and_publishes_its_day(tmp_path: Path) -> None:
    warehouse = Warehouse(tmp_path)
    warehouse.publish(january(7), january(7), process=True)
    assert_targets(warehouse, [january(7)])


def test_window_is_published_with_its_first_and_its_last_day(week: Warehouse) -> None:
    assert_targets(week, WEEK)


def test_targets_have_exactly_the_agreed_columns(week: Warehouse) -> None:
    with week.client() as client:
        found = {table: client.get_table(table) for table in COLUMNS}
    assert {
        table: ", ".join(f"{field.name} {field.field_type}" for field in made.schema) for table, made in found.items()
    } == COLUMNS
    partitions = {table: made.time_partitioning and made.time_partitioning.field for table, made in found.items()}
    assert partitions["sid.fct_departure"] == partitions["sid.agg_agent_daily"] == "flight_date"
    assert found["sid.fct_departure"].clustering_fields == ["agent_code", "origin"]


def test_second_run_leaves_every_row_as_it_was(week: Warehouse) -> None:
    before = snapshot(week)
    week.publish(WEEK[0], WEEK[-1], process=True)
    assert snapshot(week) == before
    week.publish(january(5), january(5))
    assert snapshot(week) == before


def test_truncate_after_deltas_rebuilds_from_the_start_date(week: Warehouse) -> None:
    week.publish(WEEK[0], WEEK[-1], "truncate", process=True)
    assert_targets(week, days(january(1), january(9)))


def test_days_in_reverse_give_what_one_window_gives(empty: Warehouse, published_week: Warehouse) -> None:
    for day in reversed(WEEK):
        empty.publish(day, day)
    assert_targets(empty, WEEK)
    assert snapshot(empty) == snapshot(published_week)


def test_overlapping_windows_in_any_order_give_what_truncate_gives(empty: Warehouse) -> None:
    for first, last in [(7, 9), (1, 3), (5, 8), (4, 4)]:
        empty.publish(january(first), january(last))
    assert_targets(empty, days(january(1), january(9)))
    before = snapshot(empty)
    empty.publish(WEEK[0], WEEK[-1], "truncate")
    assert snapshot(empty) == before


def test_days_that_nothing_published_between_leave_no_hole_in_a_state(empty: Warehouse) -> None:
    for day in (9, 2, 5):
        empty.publish(january(day), january(day))
    assert_targets(empty, [january(2), january(5), january(9)])


def test_day_that_is_corrected_and_run_again_also_changes_the_days_that_look_back_on_it(empty: Warehouse) -> None:
    """Each correction moves a hub or a fleet's band on later days too, by the 28 days that they look back."""
    for day in WEEK:
        empty.publish(day, day)
    assert_targets(empty, WEEK)
    before = empty.expected.agents(WEEK)
    fifth = "flight_date = DATE '2013-01-05'"
    mesa = flight(empty, january(5), "MQ") | {"carrier": "YV"}
    empty.correct(
        f"UPDATE raw.flights SET dep_delay = dep_delay + 20, arr_delay = arr_delay + 20 "
        f"WHERE {fifth} AND carrier = 'UA'",
        f"UPDATE raw.flights SET dep_time = NULL, dep_delay = NULL, arr_time = NULL, arr_delay = NULL, air_time = NULL "
        f"WHERE {fifth} AND carrier = 'B6' AND origin = 'EWR'",
        f"UPDATE raw.flights SET tailnum = 'N000FL' WHERE {fifth} AND carrier = 'FL'",
        f"DELETE FROM raw.flights WHERE {fifth} AND carrier = 'WN'",
        *(insertion(mesa, flight=9000 + number, origin="EWR") for number in range(6)),
        insertion(flight(empty, january(5), "DL")),
        insertion(flight(empty, january(5), "AA"), dep_delay=99, time_hour=datetime(2013, 1, 6, 12)),
    )
    empty.publish(january(5), january(5))
    after = empty.expected.agents(WEEK)
    assert {row[0] for row in set(before) ^ set(after)} == {"FL", "WN", "YV"}
    assert_targets(empty, WEEK)


def test_day_whose_rows_land_late_changes_the_days_that_look_back_on_it(empty: Warehouse) -> None:
    complete = empty.expected.agents(WEEK)
    empty.correct("UPDATE raw.flights SET flight_date = DATE '2012-01-05' WHERE flight_date = DATE '2013-01-05'")
    empty.publish(january(3), january(4))
    empty.publish(january(6), january(9))
    assert set(empty.expected.agents(WEEK)) != set(complete)
    assert_targets(empty, [day for day in WEEK if day != january(5)])
    empty.correct("UPDATE raw.flights SET flight_date = DATE '2013-01-05' WHERE flight_date = DATE '2012-01-05'")
    empty.publish(january(5), january(5))
    assert_targets(empty, WEEK)


def test_day_whose_rows_are_all_withdrawn_is_published_empty(week: Warehouse) -> None:
    week.correct("DELETE FROM raw.flights WHERE flight_date = DATE '2013-01-05'")
    week.publish(january(5), january(5))
    assert_targets(week, WEEK)


def test_last_published_day_without_any_flights_ends_every_state(week: Warehouse) -> None:
    march = date(2013, 3, 1)
    week.publish(march, march)
    assert_targets(week, [*WEEK, march])
    assert not any(row[6] for row in week.rows("sid.dim_agent"))


def test_agent_without_flights_for_28_days_has_no_state_until_it_flies_again(empty: Warehouse) -> None:
    february = date(2013, 2, 15)
    empty.correct(
        "UPDATE raw.flights SET month = 2, day = 15, flight_date = DATE '2013-02-15' "
        "WHERE flight_date = DATE '2013-01-14' AND carrier IN ('UA', 'AA')",
        "UPDATE raw.flights SET month = 3, day = 20, flight_date = DATE '2013-03-20' "
        "WHERE flight_date = DATE '2013-01-14' AND carrier = 'HA'",
    )
    published = [january(9), february, date(2013, 3, 20)]
    for day in reversed(published):
        empty.publish(day, day)
    assert_targets(empty, published)


def test_agent_that_is_renamed_has_a_version_for_each_name(empty: Warehouse) -> None:
    empty.publish(january(3), january(5))
    empty.correct("UPDATE raw.airlines SET name = 'Piedmont' WHERE carrier = 'US'")
    empty.publish(january(6), january(9))
    assert sorted(row for row in empty.rows("sid.dim_agent") if row[0] == "US") == [
        ("US", "Piedmont", "LGA", "medium", january(6), None, True),
        ("US", "US Airways Inc.", "LGA", "medium", january(3), january(5), False),
    ]
    query = "SELECT flight_date, agent_name FROM sid.agg_agent_daily WHERE agent_code = 'US' ORDER BY flight_date"
    assert empty.query(query) == [(day, "US Airways Inc." if day < january(6) else "Piedmont") for day in WEEK]
    empty.publish(WEEK[0], WEEK[-1])
    assert_targets(empty, WEEK)

"""The independent computation itself, against loops over the Parquet rows and cases small enough to read."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pytest
from expected import Expected, Row, days, insertion

FIRST, LAST = date(2013, 1, 3), date(2013, 1, 9)


@pytest.fixture
def expected() -> Expected:
    return Expected()


def looped_states(expected: Expected, published: list[date]) -> dict[date, dict[str, Row]]:
    """Day -> agent -> name, hub and band."""
    names = {row["carrier"]: row["name"] for row in expected.raw("airlines")}
    origins: dict[date, dict[str, Counter[str]]] = {day: defaultdict(Counter) for day in published}
    tails: dict[date, dict[str, set[str]]] = {day: defaultdict(set) for day in published}
    for row in expected.raw("flights"):
        for day in published:
            if timedelta(0) <= day - row["flight_date"] < timedelta(days=28):
                origins[day][row["carrier"]][row["origin"]] += 1
                tails[day][row["carrier"]] |= {row["tailnum"]} - {None}
    states: dict[date, dict[str, Row]] = {day: {} for day in published}
    for day in published:
        for agent, counts in origins[day].items():
            hub = min(origin for origin, count in counts.items() if count == max(counts.values()))
            tail = len(tails[day][agent])
            states[day][agent] = (names[agent], hub, "small" if tail < 50 else "medium" if tail < 200 else "large")
    return states


def looped_agents(expected: Expected, published: list[date]) -> list[Row]:
    rows: list[list[Any]] = []
    current: dict[str, list[Any]] = {}
    for day, states in looped_states(expected, published).items():
        for agent in current.keys() | states.keys():
            row, state = current.get(agent), states.get(agent)
            if row is not None and tuple(row[1:4]) == state:
                continue
            if row is not None:
                row[5:] = [day - timedelta(days=1), False]
                del current[agent]
            if state is not None:
                current[agent] = [agent, *state, day, None, True]
                rows.append(current[agent])
    return [tuple(row) for row in rows]


@pytest.mark.parametrize(
    "published",
    [
        days(FIRST, LAST),
        days(date(2013, 1, 1), date(2013, 1, 14)),
        [date(2013, 1, 2), date(2013, 1, 5), date(2013, 1, 9)],
        [date(2013, 1, 9), date(2013, 2, 1), date(2013, 2, 8), date(2013, 2, 20)],
    ],
    ids=["window", "all", "gaps", "after the last flights"],
)
def test_agents_equal_a_loop_over_the_days(expected: Expected, published: list[date]) -> None:
    assert sorted(expected.agents(published), key=repr) == sorted(looped_agents(expected, published), key=repr)


def test_departures_equal_a_loop_over_the_rows(expected: Expected) -> None:
    seats = {row["tailnum"]: row["seats"] for row in expected.raw("planes")}
    looped = []
    for row in expected.raw("flights"):
        if FIRST <= row["flight_date"] <= LAST:
            at = datetime.combine(row["flight_date"], time(row["sched_dep_time"] // 100, row["sched_dep_time"] % 100))
            what = [row[name] for name in ("flight_date", "carrier", "flight", "tailnum", "origin", "dest")]
            delays = (row["dep_delay"], row["arr_delay"], row["dep_time"] is None, row["air_time"])
            looped.append((*what, at, *delays, row["distance"], seats.get(row["tailnum"])))
    assert Counter(expected.departures(days(FIRST, LAST))) == Counter(looped)


def test_agent_days_equal_a_loop_over_the_departures(expected: Expected) -> None:
    published = days(FIRST, LAST)
    groups: dict[tuple[date, str], list[Row]] = defaultdict(list)
    for row in expected.departures(published):
        groups[row[0], row[1]].append(row)
    states = looped_states(expected, published)
    looped = []
    for (day, agent), rows in groups.items():
        delays = [row[7] for row in rows if row[7] is not None]
        on_time = sum(1 for row in rows if not row[9] and row[7] < 15)
        share = (Decimal(on_time) / len(rows)).quantize(Decimal("0.0001"), ROUND_HALF_UP)
        cancelled = sum(1 for row in rows if row[9])
        counts = (len(rows), cancelled, sum(1 for delay in delays if delay >= 15), sum(delays))
        looped.append((day, agent, states[day][agent][0], *counts, sum(row[11] for row in rows), share))
    found = expected.agent_days(published)
    assert Counter(found) == Counter(looped)
    assert {type(row[-1]) for row in found} == {Decimal}


def test_agent_that_no_airline_names_has_days_without_a_name(expected: Expected) -> None:
    expected.correct("DELETE FROM raw.airlines WHERE carrier = 'UA'")
    names = {row[1]: row[2] for row in expected.agent_days([FIRST])}
    assert names["UA"] is None
    assert names["AA"] == "American Airlines Inc."


def test_unusable_rows_are_rejected_and_the_latest_duplicate_is_kept(expected: Expected) -> None:
    day = date(2013, 1, 7)
    before = Counter(expected.departures([day]))
    row = next(row for row in expected.raw("flights") if row["flight_date"] == day and row["carrier"] == "HA")
    changes: list[dict[str, Any]] = [{}, {"dep_delay": 77, "time_hour": datetime(2013, 1, 8)}]
    changes += [{column: None} for column in ("carrier", "flight", "origin", "dest")]
    changes += [{"sched_dep_time": time} for time in (2400, 2460, 1275, -5, None)]
    for change in changes:
        assert expected.correct(insertion(row, **change)) == 1
    after = Counter(expected.departures([day]))
    [old], [new] = (before - after).elements(), (after - before).elements()
    assert new == (*old[:7], 77, *old[8:])
    assert len(expected.rejected([day])) == 9

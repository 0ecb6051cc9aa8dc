"""plan.py: what sql/ says and what the environment holds decide the steps, and nothing else does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deployer.config import Config
from deployer.source import Name
from deployer.sync.definitions import Definition, load_definitions
from deployer.sync.plan import Plan, Refused, make_plan
from deployer.sync.render import lines_of_plan
from deployer.sync.state import RELATIONS, State
from deployer.sync.tables import Column, shape_of_definition

FLIGHTS, FCT, NOTE, PUBLISH = Name("raw", "flights"), Name("sid", "fct"), Name("ops", "note"), Name("sid", "publish")


@pytest.fixture
def definitions(config: Config) -> tuple[Definition, ...]:
    return load_definitions(config)


def deployed(definitions: tuple[Definition, ...]) -> State:
    """The state that a sync of the definitions leaves; shapes of all tables are known."""
    return State(
        frozenset(made.name.dataset for made in definitions),
        {made.name: made.kind for made in definitions if made.kind in RELATIONS},
        {made.name: made.kind for made in definitions if made.kind not in RELATIONS},
        {made.name: made.checksum for made in definitions},
        {made.name: shape_of_definition(made) for made in definitions if made.kind == "TABLE"},
    )


def edited(definitions: tuple[Definition, ...], name: Name, edit: Callable[[str], str]) -> tuple[Definition, ...]:
    """The definitions after a change of one file."""
    return tuple(
        replace(made, text=edit(made.text), checksum="changed") if made.name == name else made for made in definitions
    )


def without(state: State, name: Name) -> State:
    """The state after a DROP that no deployment knows of."""
    return replace(
        state,
        relations={key: kind for key, kind in state.relations.items() if key != name},
        routines={key: kind for key, kind in state.routines.items() if key != name},
    )


def told(plan: Plan) -> list[str]:
    return [f"{step.verb} {step.kind} {step.target}: {step.reason}" for step in plan.steps]


def test_plan_for_an_empty_environment_creates_datasets_then_all_in_order(definitions: tuple[Definition, ...]) -> None:
    plan = make_plan(definitions, State())
    assert told(plan) == [
        "create DATASET dev_operations: is missing",
        "create DATASET ops_raw: is missing",
        "create DATASET dev: is missing",
        "create TABLE dev_operations.deployments: is new",
        "create TABLE ops_raw.flights: is new",
        "create TABLE dev.fct: is new",
        "create PROCEDURE dev_operations.note: is new",
        "create VIEW dev.agents: is new",
        "create PROCEDURE dev.publish: is new",
    ]
    assert [step.statement for step in plan.steps[3:]] == [made.text for made in definitions]


def test_plan_has_nothing_to_do_where_all_is_as_deployed(definitions: tuple[Definition, ...]) -> None:
    plan = make_plan(definitions, deployed(definitions))
    assert plan == Plan((), len(definitions))
    assert list(lines_of_plan(plan)) == ["Nothing to do: all 6 objects are as sql/ says."]


def test_plan_replaces_only_the_procedure_that_changed(definitions: tuple[Definition, ...]) -> None:
    changed = edited(definitions, NOTE, lambda text: text.replace("noted", "heard"))
    plan = make_plan(changed, deployed(definitions))
    assert told(plan) == ["replace PROCEDURE dev_operations.note: its definition changed"]
    assert plan.unchanged == 5


@pytest.mark.parametrize("name", [FLIGHTS, NOTE, PUBLISH], ids=str)
def test_plan_creates_again_what_was_dropped_in_the_warehouse(definitions: tuple[Definition, ...], name: Name) -> None:
    [step] = make_plan(definitions, without(deployed(definitions), name)).steps
    assert (step.verb, step.reason) == ("create", "was dropped in the warehouse")


def test_plan_creates_all_of_a_dataset_that_was_dropped(definitions: tuple[Definition, ...]) -> None:
    state = without(deployed(definitions), FLIGHTS)
    plan = make_plan(definitions, replace(state, datasets=state.datasets - {"raw"}))
    assert [step.statement for step in plan.steps] == [
        "CREATE SCHEMA IF NOT EXISTS ops_raw;",
        next(made.text for made in definitions if made.name == FLIGHTS),
    ]


def test_plan_replaces_a_routine_that_no_deployment_recorded(definitions: tuple[Definition, ...]) -> None:
    state = deployed(definitions)
    checksums = {name: checksum for name, checksum in state.checksums.items() if name not in (NOTE, FCT)}
    plan = make_plan(definitions, replace(state, checksums=checksums))
    assert told(plan) == [
        "record TABLE dev.fct: exists, but no deployment recorded it; the table is as its file says",
        "replace PROCEDURE dev_operations.note: exists, but no deployment recorded it",
    ]
    assert plan.steps[0].statement is None


def test_plan_adds_new_columns_at_the_end_of_a_table(definitions: tuple[Definition, ...]) -> None:
    changed = edited(definitions, FCT, lambda text: text.replace("STRING\n", "STRING,\n  seats INT64\n"))
    [step] = make_plan(changed, deployed(definitions)).steps
    assert (step.verb, step.reason) == ("alter", "new columns: seats")
    assert step.statement == "ALTER TABLE dev.fct\n  ADD COLUMN `seats` INT64;"


def test_plan_only_records_a_table_whose_comment_changed(definitions: tuple[Definition, ...]) -> None:
    changed = edited(definitions, FCT, lambda text: f"-- Facts.\n{text}")
    [step] = make_plan(changed, deployed(definitions)).steps
    assert (step.verb, step.statement) == ("record", None)


def test_plan_refuses_all_that_would_lose_something_and_names_file_and_column(
    definitions: tuple[Definition, ...],
) -> None:
    changed = edited(definitions, FCT, lambda text: text.replace("agent STRING", "agent INT64"))
    changed = edited(changed, FLIGHTS, lambda text: text.replace(",\n  flight INT64", ""))
    with pytest.raises(Refused) as caught:
        make_plan(changed, deployed(definitions))
    flights, fct = str(caught.value).splitlines()
    assert "raw/tables/flights.sql: ops_raw.flights" in flights
    assert "column flight: the file says nothing, the warehouse has INT64" in flights
    assert "column agent: the file says INT64, the warehouse has STRING" in fct
    assert caught.value.exit_status == 1


def test_plan_takes_the_table_that_a_person_altered_by_hand(definitions: tuple[Definition, ...]) -> None:
    changed = edited(definitions, FCT, lambda text: text.replace("agent STRING", "agent INT64"))
    state = deployed(definitions)
    by_hand = replace(state.shapes[FCT], columns=(Column("agent", "INT64"),))
    [step] = make_plan(changed, replace(state, shapes={**state.shapes, FCT: by_hand})).steps
    assert step.verb == "record"


def test_plan_refuses_an_object_of_another_kind(definitions: tuple[Definition, ...]) -> None:
    state = deployed(definitions)
    as_view = replace(state, relations={**state.relations, FCT: "VIEW"})
    with pytest.raises(Refused, match=r"dev\.fct is a VIEW in the warehouse, and a TABLE in sql/"):
        make_plan(definitions, as_view)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_plan_touches_exactly_what_is_missing_or_changed_in_dependency_order(
    definitions: tuple[Definition, ...], data: st.DataObject
) -> None:
    names = [made.name for made in definitions]
    dropped = data.draw(st.sets(st.sampled_from(names)))
    rewritten = data.draw(st.sets(st.sampled_from(names)))
    state = deployed(definitions)
    for name in dropped:
        state = without(state, name)
    changed = definitions
    for name in rewritten:
        changed = edited(changed, name, lambda text: f"-- Once more.\n{text}")
    plan = make_plan(changed, state)
    touched = [step.definition.name for step in plan.steps if step.definition is not None]
    assert touched == [name for name in names if name in dropped | rewritten]
    assert plan.unchanged == len(names) - len(touched)
    lines = list(lines_of_plan(plan))
    assert len(lines) == len(plan.steps) + 1
    assert all(step.target in line for step, line in zip(plan.steps, lines, strict=False))

"""plan.py and compare.py: sql/, the environment and its record decide the steps, and nothing else does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deployer.config import Config
from deployer.errors import UsageError
from deployer.source import Name
from deployer.sync.compare import Options, Step, checksum_of
from deployer.sync.definitions import Definition, load_definitions
from deployer.sync.plan import Plan, make_plan
from deployer.sync.render import diff, lines_of_plan
from deployer.sync.state import RELATIONS, Live, Recorded, State

Definitions = tuple[Definition, ...]
FLIGHTS, FCT, NOTE, PUBLISH = Name("raw", "flights"), Name("sid", "fct"), Name("ops", "note"), Name("sid", "publish")
AGENTS = Name("sid", "agents")


@pytest.fixture
def definitions(config: Config) -> Definitions:
    return load_definitions(config)


def deployed(definitions: Definitions) -> State:
    """The state that a sync of the definitions leaves; the text of everything is known."""
    live = {
        made.name: Live(made.kind, None if made.kind in RELATIONS else 1_000, f"sum of {made.text}", made.text)
        for made in definitions
    }
    kinds = {made.name: made.kind for made in definitions}
    return State(
        frozenset(made.name.dataset for made in definitions),
        {made.name.dataset: made.target.dataset for made in definitions},
        {name: found for name, found in live.items() if kinds[name] in RELATIONS},
        {name: found for name, found in live.items() if kinds[name] not in RELATIONS},
        {
            (made.name, made.kind): Recorded(
                made.checksum, made.text, live[made.name].altered_at, live[made.name].ddl_checksum
            )
            for made in definitions
        },
        number=7,
    )


def edited(definitions: Definitions, name: Name, edit: Callable[[str], str]) -> Definitions:
    """The definitions after a change of one file."""
    return tuple(
        replace(made, text=edit(made.text), checksum=checksum_of(edit(made.text))) if made.name == name else made
        for made in definitions
    )


def changed_by_hand(state: State, name: Name, edit: Callable[[str], str]) -> State:
    """The state after somebody changed an object of the warehouse."""

    def changed(live: Live) -> Live:
        text = edit(live.ddl or "")
        altered_at = live.altered_at and 2_000
        return replace(live, ddl=text, ddl_checksum=f"sum of {text}", altered_at=altered_at)

    return with_live(state, name, changed)


def with_live(state: State, name: Name, change: Callable[[Live], Live | None]) -> State:
    found = {}
    for field in ("relations", "routines"):
        items = {key: change(live) if key == name else live for key, live in getattr(state, field).items()}
        found[field] = {key: live for key, live in items.items() if live is not None}
    return replace(state, **found)


def without(state: State, name: Name) -> State:
    """The state after a DROP that no deployment knows of."""
    return with_live(state, name, lambda live: None)


def recorded(state: State, name: Name, **changes: Any) -> State:
    """The state with another record of an object."""
    items = {key: replace(found, **changes) if key[0] == name else found for key, found in state.recorded.items()}
    return replace(state, recorded=items)


def forgotten(state: State, *names: Name) -> State:
    return replace(state, recorded={key: found for key, found in state.recorded.items() if key[0] not in names})


def told(plan: Plan) -> list[str]:
    return [f"{step.verb} {step.kind} {step.target}: {step.reason}" for step in plan.steps]


def test_plan_for_an_empty_environment_creates_datasets_then_all_in_order(definitions: Definitions) -> None:
    plan = make_plan(definitions, State())
    assert told(plan) == [
        "create DATASET dev_operations: is missing",
        "create DATASET ops_raw: is missing",
        "create DATASET dev: is missing",
        "create TABLE dev_operations.deploy_locks: is new",
        "create TABLE dev_operations.deployments: is new",
        "create TABLE ops_raw.flights: is new",
        "create TABLE dev.fct: is new",
        "create PROCEDURE dev_operations.note: is new",
        "create VIEW dev.agents: is new",
        "create PROCEDURE dev.publish: is new; calls dev_operations.note, which is new",
    ]
    assert [step.statement for step in plan.steps[3:]] == [made.text for made in definitions]
    assert {name for name, _ in plan.steps[-1].needs} == {FLIGHTS, FCT, NOTE, Name("sid", "")}


def test_plan_has_nothing_to_do_where_all_is_as_deployed(definitions: Definitions) -> None:
    plan = make_plan(definitions, deployed(definitions))
    assert plan == Plan((), len(definitions), number=7)
    assert list(lines_of_plan(plan)) == ["Nothing to do: all 7 objects are as sql/ says."]


def test_plan_replaces_only_the_procedure_that_changed_and_names_who_calls_it_if_that_changes_too(
    definitions: Definitions,
) -> None:
    changed = edited(definitions, NOTE, lambda text: text.replace("noted", "heard"))
    plan = make_plan(changed, deployed(definitions))
    assert told(plan) == ["replace PROCEDURE dev_operations.note: its definition changed"]
    assert plan.unchanged == 6
    assert diff(plan.steps[0])[3:] == [
        " CREATE OR REPLACE PROCEDURE dev_operations.note(IN word STRING)",
        " BEGIN",
        "-  SELECT word AS noted;",
        "+  SELECT word AS heard;",
        " END;",
    ]
    both = edited(changed, PUBLISH, lambda text: text.replace("> 0", "> 1"))
    assert told(make_plan(both, deployed(definitions)))[1] == (
        "replace PROCEDURE dev.publish: its definition changed; calls dev_operations.note, which changes"
    )


@pytest.mark.parametrize("name", [FLIGHTS, NOTE, PUBLISH, AGENTS], ids=str)
def test_plan_creates_again_what_was_dropped_in_the_warehouse(definitions: Definitions, name: Name) -> None:
    [step] = make_plan(definitions, without(deployed(definitions), name)).steps
    assert (step.verb, step.reason) == ("create", "was dropped in the warehouse")


def test_plan_creates_all_of_a_dataset_that_was_dropped(definitions: Definitions) -> None:
    state = without(deployed(definitions), FLIGHTS)
    options = Options(expire_hours=72, suffix="_me")
    plan = make_plan(definitions, replace(state, datasets=state.datasets - {"raw"}), options)
    assert [step.statement for step in plan.steps] == [
        "CREATE SCHEMA IF NOT EXISTS `ops_raw` "
        "OPTIONS (default_table_expiration_days = 3, labels = [('deployer_suffix', '_me')]);",
        next(made.text for made in definitions if made.name == FLIGHTS),
    ]


@pytest.mark.parametrize("name", [NOTE, AGENTS], ids=str)
def test_what_was_changed_in_the_warehouse_is_drift_and_only_overwritten_when_asked(
    definitions: Definitions, name: Name
) -> None:
    state = changed_by_hand(deployed(definitions), name, lambda text: text.replace("SELECT ", "SELECT /* me */ "))
    [step] = make_plan(definitions, state).steps
    assert (step.verb, step.statement, step.is_drift) == ("drifted", None, True)
    assert "was changed in the warehouse" in step.reason
    assert ("at 1970-01-01 00:00:02 UTC" in step.reason) == (name == NOTE)
    assert "/* me */" in "".join(line for line in diff(step) if line.startswith("-"))
    [step] = make_plan(definitions, state, Options(overwrite_drift=True)).steps
    assert (step.verb, step.is_drift, step.statement) == ("replace", True, step.after)


def test_drift_is_told_before_a_change_of_the_file(definitions: Definitions) -> None:
    state = changed_by_hand(deployed(definitions), NOTE, lambda text: text.replace("noted", "mine"))
    [step] = make_plan(edited(definitions, NOTE, lambda text: text.replace("noted", "heard")), state).steps
    assert step.verb == "drifted"


def test_what_was_only_touched_in_the_warehouse_is_no_drift(definitions: Definitions) -> None:
    state = changed_by_hand(deployed(definitions), NOTE, lambda text: text.replace("CREATE OR REPLACE", "CREATE"))
    assert make_plan(definitions, state).steps == ()
    replaced = edited(definitions, NOTE, lambda text: text.replace("noted", "heard"))
    [step] = make_plan(replaced, state).steps
    assert (step.verb, step.reason) == ("replace", "its definition changed")
    # By hand it became what the file says since.
    taken_over = changed_by_hand(state, NOTE, lambda text: text.replace("noted", "heard"))
    assert [step.verb for step in make_plan(replaced, taken_over).steps] == ["record"]


def test_what_no_deployment_recorded_is_recorded_if_it_is_as_its_file_says_and_drift_if_not(
    definitions: Definitions,
) -> None:
    state = forgotten(deployed(definitions), NOTE, FCT, AGENTS)
    plan = make_plan(definitions, state)
    assert told(plan) == [
        "record TABLE dev.fct: exists, and no deployment recorded it; the table is as its file says",
        "record PROCEDURE dev_operations.note: exists, and no deployment recorded it; it is as its file says",
        "record VIEW dev.agents: exists, and no deployment recorded it; it is as its file says",
    ]
    assert {step.statement for step in plan.steps} == {None}
    changed = edited(definitions, NOTE, lambda text: text.replace("noted", "heard"))
    [_, step, _] = make_plan(changed, state).steps
    assert (step.verb, step.reason) == (
        "drifted",
        "exists, and no deployment recorded it; it differs from its file",
    )


def test_what_an_interrupted_deployment_may_have_left_is_no_drift(definitions: Definitions) -> None:
    tried = edited(definitions, NOTE, lambda text: text.replace("noted", "heard"))
    tried = edited(tried, FCT, lambda text: text.replace("STRING\n", "STRING,\n  a INT64,\n  b INT64\n"))
    state = deployed(definitions)
    for name in (NOTE, FCT):
        [checksum] = [made.checksum for made in tried if made.name == name]
        state = recorded(state, name, pending=frozenset({checksum}))
    state = changed_by_hand(state, NOTE, lambda text: text.replace("noted", "heard"))
    half = changed_by_hand(state, FCT, lambda text: text.replace("STRING\n", "STRING,\n  a INT64\n"))
    assert [(step.verb, step.kind) for step in make_plan(tried, half).steps] == [
        ("alter", "TABLE"),
        ("record", "PROCEDURE"),
    ]
    others = edited(tried, NOTE, lambda text: text.replace("heard", "written"))
    assert [step.verb for step in make_plan(others, half).steps] == ["alter", "replace"]


def test_plan_adds_new_columns_at_the_end_of_a_table(definitions: Definitions) -> None:
    changed = edited(definitions, FCT, lambda text: text.replace("STRING\n", "STRING,\n  seats INT64\n"))
    [step] = make_plan(changed, deployed(definitions)).steps
    assert (step.verb, step.reason, step.loses) == ("alter", "new column seats", False)
    assert step.statement == "ALTER TABLE `dev.fct`\n  ADD COLUMN IF NOT EXISTS `seats` INT64;"
    assert diff(step)[3:] == [" agent STRING", "+seats INT64"]


def test_plan_does_nothing_about_a_table_whose_comment_changed(definitions: Definitions) -> None:
    assert make_plan(edited(definitions, FCT, lambda text: f"-- Facts.\n{text}"), deployed(definitions)).steps == ()


def test_plan_refuses_what_would_lose_something_unless_it_is_asked_for(definitions: Definitions) -> None:
    changed = edited(definitions, FCT, lambda text: text.replace("agent STRING", "agent INT64"))
    changed = edited(changed, FLIGHTS, lambda text: text.replace(",\n  flight INT64", ""))
    plan = make_plan(changed, deployed(definitions))
    assert [(step.verb, step.statement) for step in plan.steps] == [("refused", None)] * 2
    flights, fct = (step.reason for step in plan.hindrances)
    assert "column flight: the file says nothing, the warehouse has INT64 (its values would be lost; " in flights
    assert "column agent: the file says INT64, the warehouse has STRING (not every value fits; " in fct
    flights, fct = make_plan(changed, deployed(definitions), Options(allow_destructive=True)).steps
    assert (flights.statement, flights.loses) == ("ALTER TABLE `ops_raw.flights`\n  DROP COLUMN `flight`;", True)
    assert fct.loses and "CAST(`agent` AS INT64) AS `agent`\nFROM `dev.fct`;" in (fct.statement or "")


def test_a_table_that_a_person_altered_is_taken_if_it_is_as_its_file_says_and_drift_if_not(
    definitions: Definitions,
) -> None:
    def add(column: str) -> Callable[[str], str]:
        return lambda text: text.replace("STRING\n", f"STRING,\n  {column}\n")

    by_hand = changed_by_hand(deployed(definitions), FCT, add("seats INT64"))
    [step] = make_plan(edited(definitions, FCT, add("seats INT64")), by_hand).steps
    assert step.verb == "record"
    # To undo it would lose a column.
    [step] = make_plan(definitions, by_hand).steps
    assert (step.verb, step.is_drift) == ("refused", True)
    described = changed_by_hand(deployed(definitions), FCT, lambda text: f"{text[:-2]} OPTIONS (description = 'x');")
    [step] = make_plan(definitions, described).steps
    assert (step.verb, step.is_drift) == ("drifted", True)
    [step] = make_plan(definitions, described, Options(overwrite_drift=True)).steps
    assert step.statement == "ALTER TABLE `dev.fct`\n  SET OPTIONS (description = NULL);"


@pytest.mark.parametrize(("name", "words"), [(FCT, "VIEW"), (AGENTS, "TABLE"), (NOTE, "TABLE FUNCTION")], ids=str)
def test_plan_refuses_an_object_of_another_kind(definitions: Definitions, name: Name, words: str) -> None:
    state = with_live(deployed(definitions), name, lambda live: replace(live, words=words))
    [step] = make_plan(definitions, state).steps
    assert step.verb == "refused"
    assert step.reason.startswith(f"is a {words.split()[-1]} in the warehouse; drop it there")


def test_plan_does_not_make_a_table_anew_whose_rows_wait_under_another_name(definitions: Definitions) -> None:
    state = without(deployed(definitions), FCT)
    kept = {**state.relations, Name("sid", "fct__kept"): Live("TABLE")}
    [step] = make_plan(definitions, replace(state, relations=kept)).steps
    assert step.verb == "refused" and "dev.fct__kept has its rows" in step.reason


def test_what_sql_has_no_more_is_unmanaged_and_pruned_only_if_a_deployment_made_it(definitions: Definitions) -> None:
    state = deployed(definitions)
    by_hand = {**state.routines, Name("sid", "mine"): Live("PROCEDURE", 1)}
    state = replace(state, routines=by_hand)
    rest = tuple(made for made in definitions if made.name not in (PUBLISH, AGENTS))
    plan = make_plan(rest, state)
    assert plan.steps == ()
    assert [(each.kind, each.target, each.is_ours) for each in plan.unmanaged] == [
        ("VIEW", "dev.agents", True),
        ("PROCEDURE", "dev.mine", False),
        ("PROCEDURE", "dev.publish", True),
    ]
    plan = make_plan(rest, state, Options(prune=True))
    assert [step.statement for step in plan.steps] == [
        "DROP PROCEDURE IF EXISTS `dev.publish`;",
        "DROP VIEW IF EXISTS `dev.agents`;",
    ]
    assert plan.steps[1].needs == {(PUBLISH, "PROCEDURE")}
    assert [each.target for each in plan.unmanaged] == ["dev.mine"]
    drifted = changed_by_hand(state, PUBLISH, lambda text: text.replace("> 0", "> 9"))
    assert make_plan(rest, drifted, Options(prune=True)).steps[0].verb == "drifted"
    overwritten = make_plan(rest, drifted, Options(prune=True, overwrite_drift=True))
    assert overwritten.steps[0].statement == "DROP PROCEDURE IF EXISTS `dev.publish`;"


def test_prune_never_drops_a_table_with_rows_unless_it_is_asked_for(definitions: Definitions) -> None:
    rest = tuple(made for made in definitions if made.name not in (PUBLISH, FLIGHTS))
    state = deployed(definitions)
    filled = replace(state, filled=frozenset({FLIGHTS}))
    [_, step] = make_plan(rest, filled, Options(prune=True)).steps
    assert (step.verb, step.statement) == ("refused", None)
    [_, step] = make_plan(rest, filled, Options(prune=True, allow_destructive=True)).steps
    assert (step.statement, step.loses) == ("DROP TABLE IF EXISTS `ops_raw.flights`;", True)
    [_, step] = make_plan(rest, state, Options(prune=True)).steps
    assert not step.loses and "IF EXISTS (SELECT 1 FROM `ops_raw.flights`) THEN\n  RAISE" in (step.statement or "")


def test_plan_refuses_what_calls_or_reads_something_that_nobody_has(definitions: Definitions, config: Config) -> None:
    file = config.sql / "ops/procedures/note.sql"
    file.unlink()
    with pytest.raises(UsageError, match=r"publish.sql:4:8: calls ops.note, which neither sql/ nor the warehouse has"):
        make_plan(load_definitions(config), State())
    state = deployed(definitions)
    assert make_plan(load_definitions(config), state).steps == ()  # the warehouse has it
    with pytest.raises(UsageError, match=r"calls ops.note, which"):
        make_plan(load_definitions(config), state, Options(prune=True))  # it would go
    (config.sql / "raw/tables/flights.sql").unlink()
    with pytest.raises(UsageError, match=r"publish.sql:3:55: uses raw.flights, which neither"):
        make_plan(load_definitions(config), without(state, FLIGHTS))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.data())
def test_plan_touches_exactly_what_is_missing_or_changed_in_dependency_order(
    definitions: Definitions, data: st.DataObject
) -> None:
    names = [made.name for made in definitions]
    dropped = data.draw(st.sets(st.sampled_from(names)))
    rewritten = data.draw(st.sets(st.sampled_from([NOTE, PUBLISH, AGENTS])))
    state = deployed(definitions)
    for name in dropped:
        state = without(state, name)
    changed = definitions
    for name in rewritten:
        changed = edited(changed, name, lambda text: text.replace("SELECT", "SELECT  "))
    plan = make_plan(changed, state)
    touched = [step.definition.name for step in plan.steps if step.definition is not None]
    assert touched == [name for name in names if name in dropped | rewritten]
    assert plan.unchanged == len(names) - len(touched)
    lines = [line for line in lines_of_plan(plan) if not line.startswith("    ")]
    assert len(lines) == len(plan.steps) + 1
    assert all(step.target in line for step, line in zip(plan.steps, lines, strict=False))
    places = {step.key: place for place, step in enumerate(plan.steps)}
    assert all(places[key] < places[step.key] for step in plan.steps for key in step.needs)


def steps_of(*verbs: str) -> list[Step]:
    return [Step(verb, "VIEW", AGENTS, "dev.agents", "") for verb in verbs]  # type: ignore[arg-type]


def test_hindrances_are_what_is_drifted_or_refused() -> None:
    plan = Plan(tuple(steps_of("create", "drifted", "record", "refused")), 0)
    assert [step.verb for step in plan.hindrances] == ["drifted", "refused"]

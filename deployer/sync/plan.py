"""Decides what brings an environment to what sql/ says. Pure: it reads no warehouse and writes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from deployer.errors import DeployerError
from deployer.sync.definitions import Definition
from deployer.sync.state import State
from deployer.sync.tables import add_columns, differences, new_columns, shape_of_definition

Verb = Literal["create", "replace", "alter", "record"]


class Refused(DeployerError):
    """What the warehouse has cannot become what sql/ says without a person's decision; nothing was applied."""


@dataclass(frozen=True, slots=True)
class Step:
    """One statement, and why it is needed. `record` has none: only the ledger is to know."""

    verb: Verb
    kind: str  # DATASET, or an object's kind
    target: str  # the environment's name
    reason: str
    statement: str | None
    definition: Definition | None  # None for a dataset


@dataclass(frozen=True, slots=True)
class Plan:
    """`steps` are in the order of work."""

    steps: tuple[Step, ...]
    unchanged: int


def make_plan(definitions: Sequence[Definition], state: State) -> Plan:
    """Raises Refused with every object that cannot be brought to its definition."""
    steps = _missing_datasets(definitions, state)
    refusals = []
    for definition in definitions:
        try:
            step = _step(definition, state)
        except Refused as refusal:
            refusals.append(str(refusal))
            continue
        if step is not None:
            steps.append(step)
    if refusals:
        raise Refused("\n".join(refusals))
    changed = sum(step.definition is not None for step in steps)
    return Plan(tuple(steps), len(definitions) - changed)


def _missing_datasets(definitions: Sequence[Definition], state: State) -> list[Step]:
    missing = dict.fromkeys(made.target.dataset for made in definitions if made.name.dataset not in state.datasets)
    return [
        Step("create", "DATASET", name, "is missing", f"CREATE SCHEMA IF NOT EXISTS {name};", None) for name in missing
    ]


def _step(made: Definition, state: State) -> Step | None:
    live, deployed = state.kind(made), state.checksums.get(made.name)
    if live is None:
        reason = "is new" if deployed is None else "was dropped in the warehouse"
        return _to_file(made, "create", reason)
    if live != made.kind:
        raise _refused(
            made, f"is a {live} in the warehouse, and a {made.kind} in sql/; drop it there, or move the file"
        )
    if deployed == made.checksum:
        return None
    reason = "its definition changed" if deployed else "exists, but no deployment recorded it"
    return _changed_table(made, state, reason) if made.kind == "TABLE" else _to_file(made, "replace", reason)


def _to_file(made: Definition, verb: Verb, reason: str) -> Step:
    return Step(verb, made.kind, str(made.target), reason, made.text, made)


def _changed_table(made: Definition, state: State, reason: str) -> Step:
    wanted, live = shape_of_definition(made), state.shapes[made.name]
    added = new_columns(wanted, live)
    if added is None:
        raise _refused(
            made,
            f"cannot become what its file says without loss or a copy: {'; '.join(differences(wanted, live))}. "
            "Change the table by hand, or the file back",
        )
    if not added:
        return Step("record", "TABLE", str(made.target), f"{reason}; the table is as its file says", None, made)
    names = ", ".join(column.name for column in added)
    return Step("alter", "TABLE", str(made.target), f"new columns: {names}", add_columns(str(made.target), added), made)


def _refused(made: Definition, problem: str) -> Refused:
    return Refused(f"{made.source.path}: {made.target} {problem}. Nothing was applied.")

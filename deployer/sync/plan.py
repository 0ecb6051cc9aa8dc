"""Decides what brings an environment to what sql/ says. Pure: it reads no warehouse and writes nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from deployer.errors import UsageError
from deployer.source import Name
from deployer.source.references import Role
from deployer.sync.compare import Options, Step, compare, drop
from deployer.sync.definitions import LABEL, PROVIDE_LEASES, Definition
from deployer.sync.state import RELATIONS, Key, Live, State

DROP_ORDER = ("PROCEDURE", "FUNCTION", "VIEW", "TABLE")  # whatever uses another one goes first


@dataclass(frozen=True, slots=True)
class Unmanaged:
    """An object of the warehouse that sql/ does not have."""

    kind: str
    target: str
    is_ours: bool  # a deployment made it


@dataclass(frozen=True, slots=True)
class Plan:
    """`steps` are in the order of work."""

    steps: tuple[Step, ...]
    unchanged: int
    unmanaged: tuple[Unmanaged, ...] = ()
    number: int = 0  # of the latest deployment, when the plan was made
    has_leases: bool = False  # afterwards there is the procedure that gives transfers their leases

    @property
    def hindrances(self) -> tuple[Step, ...]:
        """What a sync refuses to pass over."""
        return tuple(step for step in self.steps if step.verb in ("drifted", "refused"))


def make_plan(definitions: Sequence[Definition], state: State, options: Options | None = None) -> Plan:
    """Raises UsageError for a reference to what neither sql/ nor the warehouse has."""
    options = options or Options()
    wanted = {made.name.dataset: made.target.dataset for made in definitions}
    targets = {**state.targets, **wanted}
    others = not_in_sql(definitions, state)
    gone = frozenset(key for key in others if options.prune and key in state.recorded)
    _refuse_unknown(definitions, state, gone)
    steps = [_dataset(logical, name, options) for logical, name in wanted.items() if logical not in state.datasets]
    for made in definitions:
        step = compare(made, state, options)
        if step is not None:
            steps.append(step)
    changed = sum(step.definition is not None for step in steps)
    for key in sorted(gone, key=lambda key: (DROP_ORDER.index(key[1]), key[0])):
        target = f"{targets[key[0].dataset]}.{key[0].name}"
        steps.append(drop(key[0], target, others[key], state.recorded[key], state, options))
    unmanaged = tuple(
        Unmanaged(kind, f"{targets[name.dataset]}.{name.name}", (name, kind) in state.recorded)
        for name, kind in sorted(others.keys() - gone)
    )
    has_leases = any(made.name == PROVIDE_LEASES for made in definitions)
    return Plan(tuple(_linked(steps)), len(definitions) - changed, unmanaged, state.number, has_leases)


def not_in_sql(definitions: Sequence[Definition], state: State) -> dict[Key, Live]:
    """What the warehouse has, and sql/ has nothing of that name for."""
    defined = {(made.name, made.kind in RELATIONS) for made in definitions}
    found: dict[Key, Live] = {}
    for live_ones in (state.relations, state.routines):
        is_relation = live_ones is state.relations
        found |= {(name, live.kind): live for name, live in live_ones.items() if (name, is_relation) not in defined}
    return found


def _dataset(logical: str, target: str, options: Options) -> Step:
    items = []
    if options.expire_hours is not None:
        items.append(f"default_table_expiration_days = {options.expire_hours / 24:g}")
    if options.suffix:
        items.append(f"labels = [('{LABEL}', '{options.suffix}')]")
    given = f" OPTIONS ({', '.join(items)})" if items else ""
    statement = f"CREATE SCHEMA IF NOT EXISTS `{target}`{given};"
    return Step("create", "DATASET", Name(logical, ""), target, "is missing", statement, after=statement)


def _linked(steps: Sequence[Step]) -> Iterator[Step]:
    """The steps, each with those that come first, and with what it calls that is new or changes in its reason."""
    acting = {step.key: step for step in steps if step.verb not in ("record", "drop")}
    by_name = {step.name: step for step in acting.values()}
    earlier: list[Key] = list(acting)
    first, kind = frozenset(acting), ""
    for step in steps:
        if step.verb == "drop":
            if step.kind != kind:
                first, kind = frozenset(earlier), step.kind
            earlier.append(step.key)
            yield replace(step, needs=first)
        elif step.definition is None or step.verb == "record":
            yield step
        else:
            needed = [by_name[name] for name in sorted(step.definition.needs) if name in by_name]
            dataset = by_name.get(Name(step.name.dataset, ""))
            keys = frozenset(each.key for each in [*needed, *([dataset] if dataset else [])])
            called = [f"calls {each.target}, which {_news(each)}" for each in needed if each.kind not in RELATIONS]
            yield replace(step, needs=keys, reason="; ".join([step.reason, *called]))


def _news(step: Step) -> str:
    return "is new" if step.verb == "create" else "changes"


def _refuse_unknown(definitions: Sequence[Definition], state: State, gone: frozenset[Key]) -> None:
    """Of routines and tables that sql/ does not have, each must be there, and stay."""
    problems = []
    for made in definitions:
        for reference in made.foreign:
            live: Mapping[Name, Live] = state.routines if reference.role is Role.CALL else state.relations
            wanted = f"{reference.dataset}.{reference.name}".casefold()
            found = [(name, there.kind) for name, there in live.items() if str(name).casefold() == wanted]
            if not found or found[0] in gone:
                line, column = made.source.place(reference.start)
                what = f"{reference.role.value} {reference.dataset}.{reference.name}"
                problems.append(f"{made.path}:{line}:{column}: {what}, which neither sql/ nor the warehouse has")
    if problems:
        raise UsageError("\n".join([*problems, "Nothing was applied. Add the file, or mend the name."]))

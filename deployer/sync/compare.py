"""One object, as sql/ has it, against the warehouse and the record: the step that it takes. Pure, as the plan is."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from hashlib import sha256
from typing import Literal

from deployer.errors import SourceError
from deployer.source import Name
from deployer.source.create import normal_form
from deployer.source.lexer import Unreadable, place
from deployer.sync.alter import KEPT, alteration, copy_script, is_ingestion_time, statements
from deployer.sync.definitions import Definition
from deployer.sync.state import Key, Live, Recorded, State, is_as_recorded
from deployer.sync.tables import Shape, shape_of

Verb = Literal["create", "replace", "alter", "drop", "record", "drifted", "refused"]
UNRECORDED = "exists, and no deployment recorded it"
CHANGED = "its definition changed"
GONE = "was dropped in the warehouse"


@dataclass(frozen=True, slots=True)
class Options:
    """What a plan may do beyond what loses nothing."""

    overwrite_drift: bool = False
    allow_destructive: bool = False
    prune: bool = False
    suffix: str = ""  # of the sandbox
    expire_hours: float | None = None  # for how long the tables of new datasets live


@dataclass(frozen=True, slots=True)
class Step:
    """What happens to one object, and why.

    `record` has no statement: only ops.deployments is to know. `drifted` and `refused` have none: they are in the way
    of a sync.
    """

    verb: Verb
    kind: str  # DATASET, or an object's kind
    name: Name  # the logical one; a dataset's has no second part
    target: str  # the environment's name
    reason: str
    statement: str | None = None
    before: str = ""  # definitions, for a diff and for putting a routine back
    after: str = ""
    definition: Definition | None = None  # None for a dataset, and for what is dropped
    needs: frozenset[Key] = field(default=frozenset(), repr=False)  # steps of the plan that come first
    loses: bool = False  # rows or values
    is_drift: bool = False  # `before` is nothing that a deployment made
    changed_at: int | None = None  # when a drifted routine was changed, milliseconds since 1970

    @property
    def key(self) -> Key:
        return self.name, self.kind


def compare(made: Definition, state: State, options: Options) -> Step | None:
    """None when the object is as its file says. Raises SourceError for a table whose file cannot be compared."""
    live, recorded = state.live(made.name, made.kind), state.recorded.get((made.name, made.kind))
    if live is None:
        if made.kind == "TABLE" and Name(made.name.dataset, made.name.name + KEPT) in state.relations:
            copy = f"{made.target}{KEPT}"
            return _refused(made, f"is missing, and {copy} has its rows since a copy was cut off; rename that one back")
        return _step(made, "create", GONE if recorded and recorded.checksum else "is new", made.text)
    if live.kind != made.kind:
        return _refused(made, f"is a {live.kind} in the warehouse; drop it there, or move the file")
    is_touched = not is_as_recorded(live, recorded)
    if recorded is not None and recorded.checksum == made.checksum and not is_touched:
        return None
    if made.kind == "TABLE":
        return _compare_table(made, live, recorded, is_touched, options)
    if not is_touched and recorded is not None:
        return _step(made, "replace", CHANGED, made.text, recorded.definition or "")
    ddl = live.ddl or ""
    found = checksum_of(ddl)
    if found == made.checksum:
        is_known = recorded is not None and recorded.checksum == made.checksum
        return None if is_known else _step(made, "record", f"{UNRECORDED}; it is as its file says", None, ddl)
    if _is_ours(found, recorded):
        return _step(made, "replace", CHANGED, made.text, ddl)
    step = _step(made, "replace", _drift(live, recorded), made.text, ddl)
    return _overwritten(replace(step, changed_at=live.altered_at), options)


def _compare_table(
    made: Definition, live: Live, recorded: Recorded | None, is_touched: bool, options: Options
) -> Step | None:
    ddl = live.ddl or ""
    wanted, found = _shape(made, made.text), shape_of(ddl)
    change = alteration(wanted, found)
    if not change.differences:
        if recorded is not None and recorded.checksum == made.checksum:
            return None
        reason = CHANGED if recorded else UNRECORDED
        return _step(made, "record", f"{reason}; the table is as its file says", None, ddl)
    texts = "; ".join(each.text for each in change.differences)
    refusals = "; ".join(change.refusals)
    if is_ingestion_time(found) and change.needs_copy:
        step = _refused(made, f"cannot become what its file says: {refusals}. Its partitions are no column to copy")
    elif refusals and not options.allow_destructive:
        why = f"cannot become what its file says without a loss: {refusals}. --allow-destructive does it all the same"
        step = _refused(made, why)
    elif change.needs_copy:
        step = _step(made, "alter", f"is copied: {texts}", copy_script(made.text, wanted, found), loses=True)
    else:
        step = _step(made, "alter", texts, statements(f"`{made.target}`", change), loses=bool(refusals))
    step = replace(step, before=ddl)
    if is_touched and not _is_table_ours(made, recorded, found):
        return _overwritten(replace(step, reason=f"{_drift(live, recorded)}; {step.reason}"), options)
    return step


def drop(name: Name, target: str, live: Live, recorded: Recorded, state: State, options: Options) -> Step:
    """For what a deployment made and sql/ no longer has."""
    step = Step("drop", live.kind, name, target, "is in sql/ no more", before=live.ddl or recorded.definition or "")
    step = replace(step, statement=f"DROP {live.words} IF EXISTS `{target}`;")
    is_ours = is_as_recorded(live, recorded) or _is_ours(checksum_of(live.ddl or ""), recorded)
    if live.kind == "TABLE":
        partition = shape_of(live.ddl or "").partitioning.partition(" by ")[0]
        is_ours = is_ours or _is_table_ours(None, recorded, shape_of(live.ddl or ""))
        if options.allow_destructive:
            step = replace(step, loses=name in state.filled)
        elif name in state.filled:
            return replace(step, verb="refused", statement=None, reason=f"{step.reason}, but has rows; {DELIBERATE}")
        else:
            step = replace(step, statement=_drop_if_empty(target, partition))
    if is_ours:
        return step
    return _overwritten(replace(step, reason=f"{step.reason}; {_drift(live, recorded)}"), options)


DELIBERATE = "--allow-destructive drops it all the same"


def _drop_if_empty(target: str, partition: str) -> str:
    # A table that requires a filter on its partition column takes this one, which keeps every row.
    rows = f" WHERE `{partition}` IS NULL OR `{partition}` IS NOT NULL" if partition else ""
    return (
        f"IF EXISTS (SELECT 1 FROM `{target}`{rows}) THEN\n"
        f"  RAISE USING MESSAGE = '{target} has rows by now; {DELIBERATE}';\nEND IF;\nDROP TABLE IF EXISTS `{target}`;"
    )


def _step(
    made: Definition, verb: Verb, reason: str, statement: str | None, before: str = "", *, loses: bool = False
) -> Step:
    return Step(verb, made.kind, made.name, str(made.target), reason, statement, before, made.text, made, loses=loses)


def _refused(made: Definition, reason: str) -> Step:
    return _step(made, "refused", reason, None)


def _overwritten(step: Step, options: Options) -> Step:
    """The step over a drift: what it would do is only done when it is asked for."""
    if options.overwrite_drift or step.verb == "refused":
        return replace(step, is_drift=True)
    return replace(step, verb="drifted", statement=None, is_drift=True)


def _drift(live: Live, recorded: Recorded | None) -> str:
    if recorded is None:
        return f"{UNRECORDED}; it differs from its file"
    since = (
        f" at {datetime.fromtimestamp(live.altered_at / 1000, UTC):%Y-%m-%d %H:%M:%S} UTC" if live.altered_at else ""
    )
    return f"was changed in the warehouse{since}, by no deployment"


def _is_ours(checksum: str, recorded: Recorded | None) -> bool:
    """Whether a deployment made what the warehouse has, as far as anybody knows how it ended."""
    return recorded is not None and checksum in {recorded.checksum, *recorded.pending}


def _is_table_ours(made: Definition | None, recorded: Recorded | None, found: Shape) -> bool:
    if recorded is None:
        return False
    if recorded.pending:
        return True  # an ALTER of several statements may have come to any of its parts
    definition = made.text if made and recorded.checksum == made.checksum else recorded.definition
    try:
        return definition is not None and not alteration(shape_of(definition), found).differences
    except Unreadable:
        return False


def checksum_of(ddl: str) -> str:
    """The checksum of a definition; "" for what is none."""
    try:
        return sha256(normal_form(ddl).encode()).hexdigest()
    except Unreadable:
        return ""


def _shape(made: Definition, text: str) -> Shape:
    try:
        return shape_of(text)
    except Unreadable as error:
        line, column = made.place_in_file(*place(text, error.position))
        raise SourceError(str(error), made.path, line, column) from error

"""How a table becomes the one that its file describes: what can be altered, what would lose something, and a hint.

Source: "ALTER TABLE", docs.cloud.google.com/bigquery/docs/reference/standard-sql/data-definition-language, and
"Modify table schemas". Widening to FLOAT64 is allowed there, but rounds; here it counts as a loss.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from deployer.source.create import parse_create
from deployer.source.lexer import tokenize
from deployer.sync.tables import INGESTION_TIME, Column, Shape, literal

WIDER = {"INT64": ("NUMERIC", "BIGNUMERIC"), "NUMERIC": ("BIGNUMERIC",)}
SIZED = re.compile(r"(STRING|BYTES|NUMERIC|BIGNUMERIC)(?:\((\d+)(?:, (\d+))?\))?")
MADE, KEPT = "__made", "__kept"  # what follows the name of a table that a copy makes, and of the one that it was
BY_COPY = "only a copy of the table can have it"


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that differs. `actions` are what follows ALTER TABLE name; none when only a copy of the table helps."""

    text: str
    actions: tuple[str, ...] = ()
    hint: str = ""  # why it is not done unasked, and what to do instead; "" for what loses nothing


@dataclass(frozen=True, slots=True)
class Alteration:
    """From one shape to another."""

    differences: tuple[Difference, ...]

    @property
    def refusals(self) -> list[str]:
        return [f"{each.text} ({each.hint})" for each in self.differences if each.hint]

    @property
    def needs_copy(self) -> bool:
        return any(not each.actions for each in self.differences)


def alteration(wanted: Shape, live: Shape) -> Alteration:
    parts = (_columns, _layout, _keys, _options)
    return Alteration(tuple(each for part in parts for each in part(wanted, live)))


def statements(table: str, change: Alteration) -> str:
    """ALTER statements for differences that all have actions; a script when there are several."""
    actions = [action for each in change.differences for action in each.actions]
    added = [action for action in actions if action.startswith("ADD COLUMN")]
    rest = [action for action in actions if not action.startswith("ADD COLUMN")]
    # A table takes five changes in ten seconds, so what can be one change is one.
    grouped = [*([",\n  ".join(added)] if added else []), *rest]
    return "\n".join(f"ALTER TABLE {table}\n  {action};" for action in grouped)


def copy_script(ddl: str, wanted: Shape, live: Shape) -> str:
    """Makes the table anew as `ddl` says, with its rows; values of columns that it lacks are lost."""
    created = parse_create(ddl, tokenize(ddl))
    name = created.name
    known = {column.name.lower(): column for column in live.columns}
    values = ",\n  ".join(_value(column, known.get(column.name.lower())) for column in wanted.columns)
    partition = live.partitioning.partition(" by ")[0]
    # A table that requires a filter on its partition column takes this one, which keeps every row.
    rows = f" WHERE `{partition}` IS NULL OR `{partition}` IS NOT NULL" if partition else ""
    rest = f"{ddl[created.name_end : created.end]}\nAS SELECT\n  {values}\nFROM `{name}`{rows};"
    if (wanted.partitioning, wanted.clustering) == (live.partitioning, live.clustering):
        return f"CREATE OR REPLACE TABLE `{name}`{rest}"
    # A table with another layout cannot replace this one, so it takes its name; at each moment one has all rows.
    bare = name.split(".")[-1]
    return (
        f"CREATE OR REPLACE TABLE `{name}{MADE}`{rest}\n"
        f"ALTER TABLE `{name}` RENAME TO `{bare}{KEPT}`;\n"
        f"ALTER TABLE `{name}{MADE}` RENAME TO `{bare}`;\n"
        f"DROP TABLE `{name}{KEPT}`;"
    )


def _value(column: Column, live: Column | None) -> str:
    if live is None:
        return f"CAST({column.default or 'NULL'} AS {_plain(column.type)}) AS `{column.name}`"
    if live.type == column.type:
        return f"`{live.name}` AS `{column.name}`"
    return f"CAST(`{live.name}` AS {_plain(column.type)}) AS `{column.name}`"


def _plain(kind: str) -> str:
    return re.sub(" NOT NULL", "", kind)


def _columns(wanted: Shape, live: Shape) -> Iterator[Difference]:
    ours = {column.name.lower(): column for column in wanted.columns}
    theirs = {column.name.lower(): column for column in live.columns}
    for key, column in theirs.items():
        if key not in ours:
            yield Difference(
                f"column {column.name}: {_sides('', column.type)}",
                (f"DROP COLUMN `{column.name}`",),
                "its values would be lost; keep the column in the file, as a nullable one that nobody writes",
            )
    for key, column in ours.items():
        if key in theirs:
            yield from _column(column, theirs[key])
        else:
            yield from _new_column(column)
    kept = [key for key in theirs if key in ours]
    order = kept + [key for key in ours if key not in theirs]
    if order != list(ours):
        sides = _sides(", ".join(ours), ", ".join(theirs))
        yield Difference(f"order of columns: {sides}", (), "new columns can stand at the end alone; move them there")


def _new_column(column: Column) -> Iterator[Difference]:
    text = f"new column {column.name}"
    if column.required:
        hint = "the rows that are there have no value for it; leave NOT NULL out"
        yield Difference(f"{text} is NOT NULL", (), hint)
        return
    description = Column("", column.type, description=column.description)
    actions = [f"ADD COLUMN IF NOT EXISTS `{column.name}` {description}"]
    if column.default:
        actions.append(f"ALTER COLUMN `{column.name}` SET DEFAULT {column.default}")
    yield Difference(text, tuple(actions))


def _column(wanted: Column, live: Column) -> Iterator[Difference]:
    change = f"ALTER COLUMN `{live.name}`"
    if wanted.type != live.type:
        text = f"column {wanted.name}: {_sides(wanted.type, live.type)}"
        if is_wider(wanted.type, live.type):
            yield Difference(text, (f"{change} SET DATA TYPE {wanted.type}",))
        else:
            hint = "not every value fits; add a column of the new type at the end and fill it"
            if live.type.startswith(("STRUCT", "ARRAY<STRUCT")):
                hint = f"{BY_COPY}; add what is new as a column at the end of the table"
            yield Difference(text, (), hint)
    if wanted.required != live.required:
        text = f"column {wanted.name}: {_sides(*('NOT NULL' if c.required else 'nullable' for c in (wanted, live)))}"
        if live.required:
            yield Difference(text, (f"{change} DROP NOT NULL",))
        else:
            yield Difference(text, (), "a column can be relaxed, never tightened; check it where the rows are written")
    if wanted.default != live.default:
        text = f"default of {wanted.name}: {_sides(wanted.default, live.default)}"
        action = f"SET DEFAULT {wanted.default}" if wanted.default else "DROP DEFAULT"
        yield Difference(text, (f"{change} {action}",))
    if wanted.type == live.type and wanted.inner != live.inner:
        hint = "no ALTER changes what is inside a record; use `bq update`, and the next sync records it"
        yield Difference(f"options inside of {wanted.name}: {_sides(wanted.inner, live.inner)}", (), hint)
    if wanted.description != live.description:
        value = literal(wanted.description) if wanted.description else "NULL"
        text = f"description of {wanted.name}"
        yield Difference(text, (f"{change} SET OPTIONS (description = {value})",))


def is_wider(wanted: str, live: str) -> bool:
    """Whether every value of the live type is one of the wanted type, and BigQuery alters the one into the other."""
    if wanted in WIDER.get(live, ()):
        return True
    ours, theirs = SIZED.fullmatch(wanted), SIZED.fullmatch(live)
    if ours is None or theirs is None or ours[1] != theirs[1] or theirs[2] is None:
        return False
    if ours[2] is None:
        return True
    (size, scale), (old_size, old_scale) = ((int(m[2]), int(m[3] or 0)) for m in (ours, theirs))
    return scale >= old_scale and size - scale >= old_size - old_scale


def _layout(wanted: Shape, live: Shape) -> Iterator[Difference]:
    hint = f"{BY_COPY}; make a table of a new name, copy the rows, and let the procedures use it"
    if wanted.partitioning.lower() != live.partitioning.lower():
        yield Difference(f"partitioning: {_sides(wanted.partitioning, live.partitioning)}", (), hint)
    if [name.lower() for name in wanted.clustering] != [name.lower() for name in live.clustering]:
        sides = _sides(", ".join(wanted.clustering), ", ".join(live.clustering))
        yield Difference(f"clustering: {sides}", (), hint)


def _keys(wanted: Shape, live: Shape) -> Iterator[Difference]:
    """Keys are not enforced, so no row can be in their way."""
    for key in live.keys:
        if key not in wanted.keys:
            text, hint = f"key: {_sides('', key)}", "its name is needed: ALTER TABLE … DROP CONSTRAINT by hand"
            is_primary = key.startswith("PRIMARY")
            yield Difference(text, ("DROP PRIMARY KEY",) if is_primary else (), "" if is_primary else hint)
    for key in wanted.keys:
        if key not in live.keys:
            yield Difference(f"key: {_sides(key, '')}", (f"ADD {key} NOT ENFORCED",))


def _options(wanted: Shape, live: Shape) -> Iterator[Difference]:
    ours, theirs = dict(wanted.options), dict(live.options)
    for name in sorted(ours.keys() | theirs.keys()):
        here, there = ours.get(name, ""), theirs.get(name, "")
        # A dataset gives its tables an expiration that their files do not know of.
        if here == there or (name == "expiration_timestamp" and not here):
            continue
        hint = ""
        if "expiration" in name and here and not _lasts_longer(name, here, there):
            hint = "what is older would be deleted; delete it yourself before, if that is meant"
        action = f"SET OPTIONS ({name} = {here or 'NULL'})"
        yield Difference(f"option {name}: {_sides(here, there)}", (action,), hint)


def _lasts_longer(option: str, wanted: str, live: str) -> bool:
    return option.endswith("_days") and bool(live) and float(wanted) > float(live)


def is_ingestion_time(shape: Shape) -> bool:
    """Whether rows carry a partition that is no column, which a copy would lose."""
    return shape.partitioning.startswith(INGESTION_TIME)


def _sides(here: str, there: str) -> str:
    return f"the file says {here or 'nothing'}, the warehouse has {there or 'nothing'}"

"""Reads an environment's state. The number of calls does not grow with the number of objects:

one list call a dataset, which tells when each routine was changed; one query, which tells the record and the tables,
with the texts of those that differ; and one more query when routines were changed by no deployment.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from hashlib import sha256

from google.cloud.bigquery.table import Row

from deployer.jobs import NEVER
from deployer.source import Name
from deployer.sync.calls import Missing, call, run
from deployer.sync.definitions import DEPLOYMENTS, Definition
from deployer.sync.deployments import LATEST
from deployer.sync.state import Key, Live, Recorded, State, is_as_recorded
from deployer.warehouse import Warehouse

PAGE_SIZE = 1000  # the server's own is 50, which makes calls grow with the number of objects
WORDS = {
    "SCALAR_FUNCTION": "FUNCTION",
    "AGGREGATE_FUNCTION": "FUNCTION",
    "TABLE_VALUED_FUNCTION": "TABLE FUNCTION",
    "BASE TABLE": "TABLE",
    "CLONE": "TABLE",
}
TABLES = """
  SELECT CONCAT('{logical}.', table_name) AS object, table_type, ddl, TO_HEX(SHA256(ddl)) AS ddl_checksum
  FROM `{dataset}`.INFORMATION_SCHEMA.TABLES
"""
NO_TABLES = "SELECT '' AS object, '' AS table_type, '' AS ddl, '' AS ddl_checksum FROM UNNEST(ARRAY<STRING>[])"
NOTHING = "SELECT '' AS object, '' AS kind, '' AS checksum, '' AS definition, 0 AS altered_at, '' AS ddl_checksum, "
NOTHING += "ARRAY<STRING>[] AS pending FROM UNNEST(ARRAY<STRING>[])"
# A text is only sent for what differs from sql/, or from the record.
READ = """
WITH
recorded AS (SELECT *, IF(kind IN ('TABLE', 'VIEW'), object, NULL) AS relation FROM ({recorded})),
live AS ({tables}),
both AS (
  SELECT
    COALESCE(r.object, l.object) AS object,
    r.kind,
    r.checksum,
    r.altered_at,
    r.ddl_checksum AS recorded_ddl_checksum,
    r.pending,
    IF(r.checksum IN UNNEST(@checksums), NULL, r.definition) AS definition,
    l.table_type,
    l.ddl_checksum,
    IF(r.checksum IN UNNEST(@checksums) AND r.ddl_checksum = l.ddl_checksum, NULL, l.ddl) AS ddl
  FROM recorded AS r
  FULL OUTER JOIN live AS l ON r.relation = l.object
)
SELECT n.number, b.* FROM (SELECT {number} AS number) AS n LEFT JOIN both AS b ON TRUE
"""
ROUTINES = """
  SELECT CONCAT('{logical}.', routine_name) AS object, ddl
  FROM `{dataset}`.INFORMATION_SCHEMA.ROUTINES
  WHERE CONCAT('{logical}.', routine_name) IN UNNEST(@objects)
"""
FILLED = "SELECT CONCAT('{logical}.', table_id) AS object FROM `{dataset}.__TABLES__` WHERE row_count > 0"


def read_state(warehouse: Warehouse, definitions: Collection[Definition], *, removed: bool = False) -> State:
    """`removed` also tells of the tables that sql/ no longer has whether they hold rows, with one query more."""
    routines = _routines(warehouse)
    datasets = {logical: warehouse.dataset(logical) for logical, found in routines.items() if found is not None}
    known = {name: live for found in routines.values() if found is not None for name, live in found.items()}
    number, recorded, relations = _recorded(warehouse, datasets, definitions)
    checksums = {(made.name, made.kind): made.checksum for made in definitions}
    suspects = [
        name
        for name, live in known.items()
        if ((name, live.kind) in checksums or (removed and (name, live.kind) in recorded))
        and not is_as_recorded(live, recorded.get((name, live.kind)))
    ]
    known |= _looked_at(warehouse, datasets, known, suspects)
    filled: frozenset[Name] = frozenset()
    if removed and any(kind == "TABLE" and (name, kind) not in checksums for name, kind in recorded):
        sql = "\nUNION ALL\n".join(FILLED.format(logical=key, dataset=name) for key, name in datasets.items())
        filled = frozenset(_name(row.object) for row in run(warehouse, sql, "Counting rows"))
    targets = dict(warehouse.config.datasets)
    return State(frozenset(datasets), targets, relations, known, recorded, filled, number)


def _routines(warehouse: Warehouse) -> dict[str, dict[Name, Live] | None]:
    """The routines of each logical dataset; None for a dataset that does not exist."""
    client = warehouse.client

    def listed(logical: str) -> dict[Name, Live] | None:
        target = warehouse.dataset(logical)

        def ask() -> dict[Name, Live]:
            found = {}
            for item in client.list_routines(target, page_size=PAGE_SIZE, retry=NEVER):
                kind = str(item.type_)
                changed = item._properties.get("lastModifiedTime")  # the client has no property for it
                altered_at = int(changed) if changed else None
                found[Name(logical, item.routine_id)] = Live(WORDS.get(kind, kind.replace("_", " ")), altered_at)
            return found

        try:
            return call(warehouse, f"Listing {target}", ask)
        except Missing:
            return None

    names = list(warehouse.config.datasets)
    with ThreadPoolExecutor(min(8, len(names) or 1)) as pool:
        return dict(zip(names, pool.map(listed, names), strict=True))


def _recorded(
    warehouse: Warehouse, datasets: Mapping[str, str], definitions: Collection[Definition]
) -> tuple[int, dict[Key, Recorded], dict[Name, Live]]:
    """The number of the latest deployment, the record, and the tables and views."""
    checksums = [made.checksum for made in definitions]
    tables = "  UNION ALL".join(TABLES.format(logical=key, dataset=name) for key, name in datasets.items())
    parts = {"tables": tables or NO_TABLES, "recorded": NOTHING, "number": "0"}
    rows: Iterable[Row] | None = None
    if DEPLOYMENTS.dataset in datasets:
        deployments = warehouse.quoted(*DEPLOYMENTS)
        latest = {
            "recorded": LATEST.format(deployments=deployments, until=""),
            "number": f"(SELECT COALESCE(MAX(deployment_id), 0) FROM {deployments})",
        }
        try:
            sql = READ.format(**{**parts, **latest})
            environment = warehouse.config.environment
            what = "Reading ops.deployments and the tables"
            rows = run(warehouse, sql, what, checksums=checksums, environment=environment)
        except Missing:
            rows = None
    if rows is None:
        rows = run(warehouse, READ.format(**parts), "Reading the tables", checksums=checksums) if datasets else ()
    number, recorded, relations = 0, {}, {}
    for row in rows:
        number = row.number
        if row.object is None:
            continue
        name = _name(row.object)
        if row.kind is not None:
            key = (name, row.kind)
            details = (row.definition, row.altered_at, row.recorded_ddl_checksum, frozenset(row.pending))
            recorded[key] = Recorded(row.checksum or "", *details)
        if row.table_type is not None:
            words = WORDS.get(row.table_type, row.table_type)
            relations[name] = Live(words, None, row.ddl_checksum, row.ddl)
    return number, recorded, relations


def _looked_at(
    warehouse: Warehouse, datasets: Mapping[str, str], known: Mapping[Name, Live], names: Collection[Name]
) -> Iterator[tuple[Name, Live]]:
    """The routines with their definitions."""
    if not names:
        return
    parts = [ROUTINES.format(logical=key, dataset=datasets[key]) for key in sorted({name.dataset for name in names})]
    sql = "  UNION ALL".join(parts)
    for row in run(warehouse, sql, "Reading definitions", objects=[str(name) for name in names]):
        name = _name(row.object)
        yield name, replace(known[name], ddl=row.ddl, ddl_checksum=sha256(row.ddl.encode()).hexdigest())


def _name(text: str) -> Name:
    return Name(*text.split(".", 1))

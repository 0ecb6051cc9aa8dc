"""What exists: datasets, tables and routines, as the API's resources, kept in the DuckDB file itself.

One source of truth: a resource is stored as the JSON that `datasets.get`, `tables.get` or `routines.get` answer,
and a change of it is committed together with the change of the table that it describes.
"""

from __future__ import annotations

import json
import math
import threading
import time
import uuid
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Literal, TypeVar

from embedded_bigquery.duck import Connection, Database, NameUnknown, WriteConflict, execute, fetch, rollback
from embedded_bigquery.errors import EngineError, InvalidQuery, NotFound
from embedded_bigquery.lifetimes import Lifetimes, is_limited
from embedded_bigquery.locks import Change as TableChange
from embedded_bigquery.locks import TableLocks
from embedded_bigquery.sql.environment import USER, Relation, Routine, RoutineArgument, TablePath, Translated
from embedded_bigquery.types import Field, Type, field_from_api, quoted, type_from_standard

# What a routine has beside its signature and its body.
ROUTINE_OPTIONS = ("description", "importedLibraries", "strictMode", "determinismLevel")
Kind = Literal["DATASET", "TABLE", "ROUTINE", "DROPPED"]  # DROPPED: a dataset that UNDROP can bring back
Resource = dict[str, Any]
Key = tuple[Kind, str, str, str]

RESULTS = "_results"  # the dataset of the rows of queries
POLICIES = "_rowAccessPolicies"  # the key of a table's row access policies, which tables.get does not show
NAMED = "_named"  # the key that says that a view gives its columns names of its own
T = TypeVar("T")
TRIES = 4  # of what meets a change of the tables that it needs
STORE = "_bigquery"  # the schema that holds the metadata; no dataset can have this name


class Catalog:
    """Lookups by full name, and the one way to change what exists. Safe to use from many threads."""

    def __init__(self, database: Database, project: str, location: str) -> None:
        self.project, self.location = project, location
        self._database = database
        self._lock = threading.RLock()
        self._resources: dict[Key, Resource] = {}
        self._relations: dict[TablePath, Relation] = {}
        self._routines: dict[TablePath, Routine] = {}
        self._version = 0
        self.translations: dict[Hashable, Translated] = {}  # of statements that ran
        self.locks = TableLocks()
        # A project's jobs as rows of INFORMATION_SCHEMA.JOBS: whoever runs jobs says where they are.
        self.job_rows: Callable[[str], list[dict[str, Any]]] = lambda project: []
        self._lifetimes = Lifetimes(self.locks)
        self._limited: set[TablePath] = set()  # tables whose partitions expire
        self._making: set[TablePath] = set()
        # The table of a query's rows, made by whoever has them.
        self.result_table: Callable[[TablePath], Resource | None] = lambda path: None
        self._open()

    def _open(self) -> None:
        connection = self._database.cursor()
        store = f"{quoted(self._database.name)}.{STORE}"
        self._table = f"{store}.resources"
        execute(connection, f"CREATE SCHEMA IF NOT EXISTS {store}")
        columns = "kind VARCHAR, project VARCHAR, dataset VARCHAR, name VARCHAR, resource VARCHAR"
        execute(connection, f"CREATE TABLE IF NOT EXISTS {self._table} ({columns})")
        for kind, project, dataset, name, text in fetch(execute(connection, f"FROM {self._table}")):
            self._resources[(kind, project, dataset, name)] = json.loads(text)
        connection.close()
        self._note_lifetimes()

    # ---- lookups

    @property
    def version(self) -> int:
        """Another one after each change."""
        self._drop_expired()
        return self._version

    def dataset(self, project: str, name: str) -> Resource | None:
        return self._resources.get(("DATASET", project, name, ""))

    def datasets(self, project: str) -> list[Resource]:
        """Without the hidden ones, whose names begin with an underscore."""
        return [item for item in self._listed("DATASET", project) if not path_of(item).dataset.startswith("_")]

    def dropped(self, project: str) -> list[Resource]:
        """The datasets that UNDROP can bring back, those that went last at the end."""
        return sorted(self._listed("DROPPED", project), key=lambda item: int(item["creationTime"]))

    def table(self, path: TablePath) -> Resource | None:
        self._drop_expired()
        found = self._resources.get(("TABLE", path.project, path.dataset, path.name))
        self.drop_partitions(path)
        return self._result(path) if found is None and path.dataset == RESULTS else found

    def _result(self, path: TablePath) -> Resource | None:
        with self._lock:
            found = self._resources.get(("TABLE", path.project, path.dataset, path.name))
            if found is None and path not in self._making:
                self._making.add(path)
                try:
                    found = self.result_table(path)
                finally:
                    self._making.remove(path)
            return found

    def tables(self, project: str, dataset: str) -> list[Resource]:
        self._drop_expired()
        for path in [path for path in self._limited if (path.project, path.dataset) == (project, dataset)]:
            self.drop_partitions(path)
        return self._listed("TABLE", project, dataset)

    def routine_resource(self, path: TablePath) -> Resource | None:
        found = self._resources.get(("ROUTINE", path.project, path.dataset, path.name))
        if found is not None:
            return found
        # Routine names are not case-sensitive, table names are.
        name = path.name.lower()
        same = (r for r in self.routines(path.project, path.dataset) if path_of(r).name.lower() == name)
        return next(same, None)

    def routines(self, project: str, dataset: str) -> list[Resource]:
        return self._listed("ROUTINE", project, dataset)

    def _listed(self, kind: Kind, project: str, dataset: str | None = None) -> list[Resource]:
        with self._lock:
            keys = sorted(key for key in self._resources if key[:2] == (kind, project) and dataset in (None, key[2]))
            return [self._resources[key] for key in keys]

    def relation(self, path: TablePath) -> Relation | None:
        """The table or view as a statement sees it."""
        self._drop_expired()
        known = self._relations.get(path)
        self.drop_partitions(path)
        if known is None and (resource := self.table(path)) is not None:
            known = self._relations[path] = relation_of(resource, self.duckdb_name(path))
        return known

    def routine(self, path: TablePath) -> Routine | None:
        known = self._routines.get(path)
        if known is None and (resource := self.routine_resource(path)) is not None:
            known = self._routines[path] = routine_of(resource)
        return known

    def duckdb_schema(self, project: str, dataset: str) -> str:
        """The complete DuckDB name of a dataset: the file's name may be a dataset's name too."""
        schema = dataset if project == self.project else f"{project}.{dataset}"
        return f"{quoted(self._database.name)}.{quoted(schema)}"

    def duckdb_name(self, path: TablePath) -> str:
        return f"{self.duckdb_schema(path.project, path.dataset)}.{quoted(path.name)}"

    def take_snapshot(self, connection: Connection) -> str:
        """Fixes what the connection's open transaction sees: DuckDB would wait for its first statement.

        Returns the time at which it began.
        """
        rows = fetch(execute(connection, f"SELECT now()::VARCHAR FROM {self._table} LIMIT 1"))
        return str((rows or fetch(execute(connection, "SELECT now()::VARCHAR")))[0][0])

    def required_dataset(self, project: str, name: str) -> Resource:
        found = self.dataset(project, name)
        if found is None:
            raise NotFound(f"Not found: Dataset {project}:{name} was not found in location {self.location}")
        return found

    # ---- expiration

    def _note_lifetimes(self) -> None:
        """When the first table goes, in milliseconds since 1970, and of which tables partitions do."""
        self._next_expiration = min(map(expiration_ms, self._resources.values()), default=math.inf)
        limited = (key for key, resource in self._resources.items() if key[0] == "TABLE" and is_limited(resource))
        self._limited = {TablePath(*key[1:]) for key in limited}

    def _drop_expired(self) -> None:
        """A table whose time has come is not there for whoever looks next."""
        if now_ms() < self._next_expiration:
            return
        with self._lock:
            now = now_ms()
            expired = [resource for resource in self._resources.values() if expiration_ms(resource) <= now]
            if not expired:
                return  # another thread has dropped them
            connection = self._database.cursor()
            try:
                # Who is writing to the table is let through; the next lookup tries again.
                with suppress(WriteConflict), self.change(connection) as change:
                    for resource in expired:
                        path = path_of(resource)
                        if resource["type"] == "TABLE":
                            execute(connection, f"DROP TABLE IF EXISTS {self.duckdb_name(path)}")
                        change.remove("TABLE", path)
            finally:
                connection.close()

    def drop_partitions(self, path: TablePath) -> None:
        """What is in a partition whose time has come is not there for whoever looks next."""
        if path not in self._limited or not self._lifetimes.is_due(path):
            return
        with self._lock:
            resource = self._resources.get(("TABLE", path.project, path.dataset, path.name))
            if resource is None or not self._lifetimes.is_due(path):
                return
            connection = self._database.cursor()
            try:
                # Who is writing to the table is let through; the next lookup tries again.
                with suppress(WriteConflict):
                    self._lifetimes.drop_expired(connection, path, self.duckdb_name(path), resource)
            finally:
                connection.close()

    def modified_ms(self, resource: Resource) -> str:
        """When the table or its rows last changed."""
        return str(max(int(resource.get("lastModifiedTime") or 0), self.locks.changed_ms(str(path_of(resource)))))

    # ---- changes

    @contextmanager
    def change(self, connection: Connection) -> Iterator[Change]:
        """A unit of work on the connection: what is put and what runs on it is committed together, or not at all.

        The connection must not be inside a transaction.
        """
        with self._lock:
            execute(connection, "BEGIN TRANSACTION")
            change = Change(connection, self._table)
            try:
                yield change
                tables = [str(TablePath(*key[1:])) for key in change.resources if key[0] == "TABLE"]
                with self.locks.changing(tables, TableChange.DEFINED):
                    execute(connection, "COMMIT")
                    self._take(change)
            except BaseException:
                rollback(connection)
                raise

    def _take(self, change: Change) -> None:
        for key, resource in change.resources.items():
            if resource is None:
                self._resources.pop(key, None)
            else:
                self._resources[key] = resource
        self._note_lifetimes()
        self._relations.clear()
        self._routines.clear()
        self._version += 1

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Around a look at what exists and the change that follows from it: no other change comes between."""
        with self._lock:
            yield

    def anew(self, action: Callable[[], T]) -> T:
        """What leaves no trace when it fails, once more if that was because of a change made meanwhile.

        Between the look at what exists and the statement for DuckDB a table may be replaced, altered or dropped.
        """
        for _ in range(TRIES):
            since = self.locks.settled()
            try:
                return action()
            except WriteConflict as conflict:
                failure: EngineError = conflict
                with self.alone():
                    pass  # a definition that is under way has come to its end
            except NameUnknown as error:
                if self.locks.settled() == since:
                    raise
                failure = error
        raise InvalidQuery("Could not serialize access to table due to concurrent update") from failure


class Change:
    """The resources that one unit of work puts and removes."""

    def __init__(self, connection: Connection, table: str) -> None:
        self.connection = connection
        self._table = table
        self.resources: dict[Key, Resource | None] = {}

    def put(self, kind: Kind, resource: Resource) -> Resource:
        """Stores the resource with a new etag and time of change."""
        path = path_of(resource)
        stored = stamped(resource)
        self.remove(kind, path)
        values = [kind, path.project, path.dataset, path.name, json.dumps(stored)]
        execute(self.connection, f"INSERT INTO {self._table} VALUES (?, ?, ?, ?, ?)", values)
        self.resources[(kind, path.project, path.dataset, path.name)] = stored
        return stored

    def remove(self, kind: Kind, path: TablePath) -> None:
        values = [kind, path.project, path.dataset, path.name]
        where = "kind = ? AND project = ? AND dataset = ? AND name = ?"
        execute(self.connection, f"DELETE FROM {self._table} WHERE {where}", values)
        self.resources[(kind, path.project, path.dataset, path.name)] = None


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def expiration_ms(resource: Resource) -> float:
    """When a table goes, in milliseconds since 1970; infinity for what stays."""
    return float(resource.get("expirationTime") or math.inf)


def stamped(resource: Resource) -> Resource:
    """A copy with a fresh etag, lastModifiedTime and, for a new resource, creationTime (milliseconds, as text)."""
    now = str(now_ms())
    return {"creationTime": now, **resource, "lastModifiedTime": now, "etag": uuid.uuid4().hex}


def path_of(resource: Resource) -> TablePath:
    """The full name in a resource's reference; `name` is "" for a dataset."""
    for key, name in (("tableReference", "tableId"), ("routineReference", "routineId"), ("datasetReference", "")):
        reference = resource.get(key)
        if reference is not None:
            return TablePath(reference["projectId"], reference["datasetId"], reference.get(name, ""))
    raise KeyError("the resource has no reference")


def relation_of(resource: Resource, duckdb_name: str) -> Relation:
    """A table resource as a statement sees it."""
    partitioning = resource.get("timePartitioning") or {}
    ranges = resource.get("rangePartitioning") or {}
    column = partitioning.get("field") or ranges.get("field") or ("_PARTITIONTIME" if partitioning else None)
    return Relation(
        path=path_of(resource),
        fields=fields_of(resource),
        duckdb_name=duckdb_name,
        kind=resource["type"],
        view_query=(resource.get("view") or resource.get("materializedView") or {}).get("query"),
        partition_column=column,
        partition_granularity=partitioning.get("type"),
        require_partition_filter=bool(resource.get("requirePartitionFilter")),
        row_filter=row_filter(resource),
    )


def row_filter(resource: Resource) -> str | None:
    """What holds for the rows that the table's policies let the user see; None when the table has no policy."""
    policies = resource.get(POLICIES)
    if not policies:
        return None
    granted = [policy["filterPredicate"] for policy in policies if any(map(_is_user, policy["grantees"]))]
    if any(text.strip(" ()").upper() == "TRUE" for text in granted):
        return "TRUE"
    return " OR ".join(f"({text})" for text in granted) or "FALSE"


def _is_user(grantee: str) -> bool:
    domain = USER.partition("@")[2]
    return grantee in (
        "allUsers",
        "allAuthenticatedUsers",
        f"user:{USER}",
        f"serviceAccount:{USER}",
        f"domain:{domain}",
    )


def fields_of(resource: Resource) -> tuple[Field, ...]:
    return tuple(field_from_api(item) for item in (resource.get("schema") or {}).get("fields", ()))


def routine_of(resource: Resource) -> Routine:
    """A routine resource as a statement sees it."""
    returned = resource.get("returnType")
    columns = (resource.get("returnTableType") or {}).get("columns", ())
    return Routine(
        path=path_of(resource),
        kind=resource["routineType"],
        arguments=tuple(_argument(item) for item in resource.get("arguments", ())),
        body=resource.get("definitionBody", ""),
        returns=type_from_standard(returned) if returned else None,
        return_fields=tuple(Field(item["name"], type_from_standard(item["type"])) for item in columns),
        language=resource.get("language", "SQL"),
        options={key: resource[key] for key in ROUTINE_OPTIONS if key in resource},
    )


def _argument(item: Resource) -> RoutineArgument:
    kind = item.get("argumentKind", "FIXED_TYPE")
    data_type = item.get("dataType")
    known: Type | None = type_from_standard(data_type) if data_type else None
    return RoutineArgument(
        name=item.get("name", ""),
        type=known,
        mode=item.get("mode") or "IN",
        is_aggregate=bool(item.get("isAggregate", True)),
        is_table=kind == "ANY_TABLE" or "tableType" in item,
        table_fields=tuple(
            Field(column["name"], type_from_standard(column["type"]))
            for column in (item.get("tableType") or {}).get("columns", ())
        ),
    )

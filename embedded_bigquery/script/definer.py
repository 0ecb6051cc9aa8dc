"""Runs CREATE, DROP and ALTER statements against the catalog."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from embedded_bigquery import tables
from embedded_bigquery.catalog import Resource, fields_of
from embedded_bigquery.errors import (
    Duplicate,
    EngineError,
    InvalidQuery,
    NotFound,
    NotSupported,
    WrongKind,
)
from embedded_bigquery.script.alterations import add_key, altered
from embedded_bigquery.script.names import Names
from embedded_bigquery.script.outcome import Outcome
from embedded_bigquery.script.partitions import partitioning
from embedded_bigquery.script.routines import check_routine, routine_resource
from embedded_bigquery.script.session import Session
from embedded_bigquery.sql.ddl import ROUTINES, parse_definition
from embedded_bigquery.sql.definitions import Alter, Create, Drop
from embedded_bigquery.sql.environment import Routine, TablePath, Translated
from embedded_bigquery.sql.functions.duckdb_text import UTC
from embedded_bigquery.sql.tokens import moved
from embedded_bigquery.sql.translate import translate, translate_expression
from embedded_bigquery.types import Field, Type, quoted

ZONE_OF_OPTIONS = "America/Los_Angeles"  # where @@time_zone is not set; source: "System variables reference"
Evaluate = Callable[..., tuple[Type, Any]]
ROUTINE_KINDS = {
    "FUNCTION": "SCALAR_FUNCTION",
    "AGGREGATE FUNCTION": "AGGREGATE_FUNCTION",
    "TABLE FUNCTION": "TABLE_VALUED_FUNCTION",
    "PROCEDURE": "PROCEDURE",
}
TABLE_KINDS = {"TABLE": "TABLE", "VIEW": "VIEW", "MATERIALIZED VIEW": "MATERIALIZED_VIEW", "SNAPSHOT TABLE": "SNAPSHOT"}
# OPTIONS of a table or dataset, and the resource's key for each.
OPTION_KEYS = {
    "description": "description",
    "friendly_name": "friendlyName",
    "require_partition_filter": "requirePartitionFilter",
    "default_table_expiration_days": "defaultTableExpirationMs",
    "default_partition_expiration_days": "defaultPartitionExpirationMs",
    "expiration_timestamp": "expirationTime",
    "labels": "labels",
    "location": "location",
    "max_staleness": "maxStaleness",
    "is_case_insensitive": "isCaseInsensitive",
    "max_time_travel_hours": "maxTimeTravelHours",
    "storage_billing_model": "storageBillingModel",
    "enable_refresh": "enableRefresh",
    "refresh_interval_minutes": "refreshIntervalMs",
    "allow_non_incremental_definition": "allowNonIncrementalDefinition",
    "enable_change_history": "enableChangeHistory",
    "kms_key_name": "kmsKeyName",
    "default_rounding_mode": "defaultRoundingMode",
}


class Definer:
    def __init__(self, session: Session, names: Names, evaluate: Evaluate) -> None:
        self.session, self.names, self.evaluate = session, names, evaluate
        self.catalog = session.catalog

    def run(self, text: str, *, dry_run: bool = False) -> Outcome:
        """Raises EngineError; a permanent definition inside a transaction is refused."""
        made = parse_definition(text, self._option)
        permanent = not (isinstance(made, Create) and made.temporary) and self._temporary(made.path) is None
        if self.session.transaction is not None and permanent:
            raise InvalidQuery(
                "DDL statements are not supported in a transaction, except for those creating or droping temporary "
                "tables or temporary functions."
            )
        if isinstance(made, Create):
            return self._create(made, text, dry_run)
        if dry_run:
            return Outcome(f"{type(made).__name__.upper()}_{made.kind.replace(' ', '_')}")
        return self._drop(made) if isinstance(made, Drop) else self._alter(made)

    def _temporary(self, parts: tuple[str, ...]) -> str | None:
        """The key of the temporary table that the name means."""
        if len(parts) == 1 or parts[0].upper() == "_SESSION":
            key = parts[-1].lower()
            return key if key in self.session.temporary else None
        return None

    # ---- CREATE

    def _create(self, made: Create, text: str, dry_run: bool) -> Outcome:
        if made.kind in ROUTINES:
            return self._create_routine(made, text, dry_run)
        if made.kind == "SCHEMA":
            return self._create_schema(made, dry_run)
        kind = "CREATE_" + {"SNAPSHOT TABLE": "SNAPSHOT_TABLE"}.get(made.kind, TABLE_KINDS[made.kind])
        if made.query is not None and made.kind == "TABLE":
            kind += "_AS_SELECT"
        query = None
        columns = made.columns or ()
        if made.query is not None:
            query = self._translated(made.query, text)
            columns = self._query_columns(made, query)
        if dry_run:
            return Outcome(kind, columns)
        if made.temporary:
            return self._create_temporary(made, columns, query, kind)
        path = self.session.required_path(made.path)
        existing = self.catalog.table(path)
        if existing is not None and made.if_not_exists:
            return Outcome(kind, columns, target=path, operation="SKIP")
        resource: Resource = {
            "tableReference": {"projectId": path.project, "datasetId": path.dataset, "tableId": path.name},
            "type": TABLE_KINDS[made.kind],
        }
        if made.source is not None:
            columns, query = self._copied(made, resource)
        resource |= table_options(made.options)
        resource["schema"] = {"fields": [field.api() for field in columns]}
        if made.partition is not None:
            resource |= partitioning(made.partition, columns, made.options, lambda e: self._constant(e))
        if made.cluster:
            resource["clustering"] = {"fields": list(made.cluster)}
        for key in made.keys:
            add_key(resource, key)
        if made.kind in ("VIEW", "MATERIALIZED VIEW"):
            place = "view" if made.kind == "VIEW" else "materializedView"
            resource[place] = {"query": made.query, **({"useLegacySql": False} if place == "view" else {})}
            query = None
        stored = None if query is None else (query.duckdb_sql, [self.names.value(bind) for bind in query.binds])
        tables.create_table(
            self.catalog, self.session.connection, resource, replace=made.replace, query=stored, default=self._default
        )
        operation = "REPLACE" if existing is not None else "CREATE"
        return Outcome(kind, columns, target=path, operation=operation)

    def _translated(self, query: str, text: str) -> Translated:
        """The query that ends the statement's text; its errors have their place in the text."""
        try:
            return translate(query, self.names)
        except EngineError as error:
            error.at = error.at and moved(error.at, text, text.rindex(query))
            raise

    def _constant(self, expression: str) -> Any:
        return self.evaluate(self.session, expression, self.names)[1]

    def _option(self, expression: str) -> Any:
        zone = self.session.settings["time_zone"] or ZONE_OF_OPTIONS
        return self.evaluate(self.session, expression, self.names.within_zone(zone))[1]

    def _default(self, expression: str) -> str:
        names = self.names.within_zone(UTC)  # the zone of this script is not that of the INSERTs to come
        return translate_expression(expression, names).duckdb_sql.removeprefix("SELECT ").removesuffix(" AS c0")

    def _query_columns(self, made: Create, query: Translated) -> tuple[Field, ...]:
        """The columns of CREATE … AS: those of the query, under the names and types that the list gives."""
        seen: set[str] = set()
        for position, column in enumerate(query.fields):
            if position in query.unnamed and not made.columns:
                raise InvalidQuery(f"CREATE {made.kind} columns must be named, but column {position + 1} has no name")
            if column.name.lower() in seen and not made.columns:
                raise InvalidQuery(f"CREATE {made.kind} has columns with duplicate name {column.name}")
            seen.add(column.name.lower())
        if not made.columns:
            return query.fields
        if len(made.columns) != len(query.fields):
            raise InvalidQuery(
                f"The number of columns in the column definition list does not match the number of columns produced "
                f"by the query: {len(made.columns)} and {len(query.fields)}"
            )
        if made.kind == "TABLE":
            return made.columns
        pairs = zip(made.columns, query.fields, strict=True)
        return tuple(Field(own.name, found.type, description=own.description) for own, found in pairs)

    def _create_temporary(
        self, made: Create, columns: tuple[Field, ...], query: Translated | None, kind: str
    ) -> Outcome:
        if made.source is not None:
            raise NotSupported(f"CREATE TEMP TABLE {made.source[0]}")
        name = made.path[-1]
        path = TablePath(self.catalog.project, "_SESSION", name)
        exists = name.lower() in self.session.temporary
        if exists and made.if_not_exists:
            return Outcome(kind, target=path, operation="SKIP")
        if exists and not made.replace:
            raise Duplicate(f"Already Exists: Table {self.catalog.project}:_SESSION.{name}")
        definitions = ", ".join(tables.column_definition(field, self._default) for field in columns)
        target = f"temp.main.{quoted(name)}"
        self.session.run(f"CREATE OR REPLACE TEMP TABLE {target} ({definitions})", writes=True)
        if query is not None:
            values = [self.names.value(bind) for bind in query.binds]
            self.session.run(f"INSERT INTO {target} {query.duckdb_sql}", values, writes=True)
        self.session.add_temporary(name, columns)
        return Outcome(kind, target=path, operation="REPLACE" if exists else "CREATE")

    def _copied(self, made: Create, resource: Resource) -> tuple[tuple[Field, ...], Translated | None]:
        """Columns (and partitioning, clustering, options) of LIKE, COPY and CLONE, and the rows to start with."""
        assert made.source is not None
        word, parts = made.source
        path = self.session.required_path(parts)
        source = self.catalog.table(path)
        if source is None:
            raise NotFound(f"Not found: Table {tables.shown(path)} was not found in location {self.catalog.location}")
        keys = ("timePartitioning", "rangePartitioning", "clustering", "description", "labels")
        resource |= {key: source[key] for key in keys if key in source and key not in resource}
        if word in ("COPY", "CLONE") or made.kind == "SNAPSHOT TABLE":
            name = ".".join(f"`{part}`" for part in (path.project, path.dataset, path.name))
            return fields_of(source), translate(f"SELECT * FROM {name}", self.names)
        query = translate(made.query, self.names) if made.query is not None else None
        return fields_of(source), query

    def _create_schema(self, made: Create, dry_run: bool) -> Outcome:
        project = made.path[0] if len(made.path) == 2 else self.catalog.project
        path = TablePath(project, made.path[-1], "")
        exists = self.catalog.dataset(project, path.dataset) is not None
        if dry_run or (exists and made.if_not_exists):
            return Outcome("CREATE_SCHEMA", operation="SKIP", target=path)
        resource: Resource = {"datasetReference": {"projectId": project, "datasetId": path.dataset}}
        tables.create_dataset(self.catalog, self.session.connection, resource | table_options(made.options))
        return Outcome("CREATE_SCHEMA", operation="CREATE", target=path)

    # ---- routines

    def _create_routine(self, made: Create, text: str, dry_run: bool) -> Outcome:
        kind = "CREATE_" + {"TABLE FUNCTION": "TABLE_FUNCTION"}.get(made.kind, made.kind.split()[-1])
        path = self._routine_path(made)
        routine = Routine(
            path,
            ROUTINE_KINDS[made.kind],
            made.arguments,
            made.body,
            made.returns,
            made.columns or (),
            {"JS": "JAVASCRIPT"}.get(made.language, made.language),
            routine_options(made),
        )
        try:
            check_routine(routine, self.session)
        except EngineError as error:
            error.at = error.at and moved(error.at, text, made.body_start)
            raise
        if made.temporary:
            return self._create_temporary_routine(routine, made.replace, kind)
        exists = self.catalog.routine_resource(path) is not None
        if dry_run:
            return Outcome(kind, routine=path)
        if exists and made.if_not_exists:
            return Outcome(kind, routine=path, operation="SKIP")
        resource = routine_resource(routine)
        tables.put_routine(self.catalog, self.session.connection, resource, replace=made.replace)
        return Outcome(kind, routine=path, operation="REPLACE" if exists else "CREATE")

    def _routine_path(self, made: Create) -> TablePath:
        if made.temporary:
            return TablePath(self.catalog.project, "_SESSION", made.path[-1])
        return self.session.required_path(made.path, "Routine")

    def _create_temporary_routine(self, routine: Routine, replaces: bool, kind: str) -> Outcome:
        name = routine.path.name
        if name.lower() in self.session.temporary_routines and not replaces:
            raise Duplicate(f"Already Exists: Routine {name}")
        self.session.add_temporary_routine(routine)
        return Outcome(kind, routine=routine.path, operation="CREATE")

    # ---- DROP

    def _drop(self, made: Drop) -> Outcome:
        kind = f"DROP_{made.kind.replace(' ', '_')}"
        if made.kind == "SCHEMA":
            return self._drop_schema(made)
        if made.kind in ROUTINES:
            return self._drop_routine(made, kind)
        key = self._temporary(made.path)
        if key is not None:
            gone = self.session.forget_temporary(key)
            self.session.run(f"DROP TABLE IF EXISTS {gone.duckdb_name}", writes=True)
            return Outcome(kind, target=gone.path, operation="DROP")
        path = self.session.required_path(made.path)
        existing = self.catalog.table(path)
        if existing is None and made.if_exists:
            return Outcome(kind, target=path, operation="SKIP")
        if existing is not None and existing["type"] != TABLE_KINDS[made.kind]:
            raise WrongKind(tables.shown(path), existing["type"])
        tables.drop_table(self.catalog, self.session.connection, path)
        return Outcome(kind, target=path, operation="DROP")

    def _drop_schema(self, made: Drop) -> Outcome:
        project = made.path[0] if len(made.path) == 2 else self.catalog.project
        path = TablePath(project, made.path[-1], "")
        if self.catalog.dataset(project, path.dataset) is None and made.if_exists:
            return Outcome("DROP_SCHEMA", target=path, operation="SKIP")
        tables.delete_dataset(self.catalog, self.session.connection, project, path.dataset, contents=made.cascade)
        return Outcome("DROP_SCHEMA", target=path, operation="DROP")

    def _drop_routine(self, made: Drop, kind: str) -> Outcome:
        if len(made.path) == 1 and self.session.forget_temporary_routine(made.path[0]):
            return Outcome(kind, operation="DROP")
        path = self.session.required_path(made.path, "Routine")
        if self.catalog.routine_resource(path) is None and made.if_exists:
            return Outcome(kind, routine=path, operation="SKIP")
        tables.drop_routine(self.catalog, self.session.connection, path)
        return Outcome(kind, routine=path, operation="DROP")

    # ---- ALTER

    def _alter(self, made: Alter) -> Outcome:
        kind = f"ALTER_{made.kind.replace(' ', '_')}"
        connection = self.session.connection
        if made.kind == "SCHEMA":
            project = made.path[0] if len(made.path) == 2 else self.catalog.project
            if self.catalog.dataset(project, made.path[-1]) is None and made.if_exists:
                return Outcome(kind, operation="SKIP")
            dataset = self.catalog.required_dataset(project, made.path[-1])
            changed, _ = altered(dataset, made.actions, self._default, table_options)
            tables.update_dataset(self.catalog, connection, changed)
            return Outcome(kind, operation="ALTER", target=TablePath(project, made.path[-1], ""))
        path = self.session.required_path(made.path)
        existing = self.catalog.table(path)
        if existing is None:
            if made.if_exists:
                return Outcome(kind, target=path, operation="SKIP")
            raise NotFound(f"Not found: Table {tables.shown(path)} was not found in location {self.catalog.location}")
        changed, statements = altered(existing, made.actions, self._default, table_options)
        renamed = changed["tableReference"] != existing["tableReference"]
        tables.alter_table(self.catalog, connection, changed, statements, path if renamed else None)
        return Outcome(kind, target=path, operation="ALTER")


def routine_options(made: Create) -> dict[str, Any]:
    """OPTIONS as the routine's resource has them; raises InvalidQuery for one that does not exist."""
    known = {"description": "description", "library": "importedLibraries"}
    if made.kind == "PROCEDURE":
        known = {"description": "description", "strict_mode": "strictMode"}
    found = {} if made.determinism is None else {"determinismLevel": made.determinism}
    for name, value in made.options.items():
        if name not in known:
            raise InvalidQuery(f"Unknown option: {name}")
        if value is not None:
            found[known[name]] = value
    return found


def table_options(options: Mapping[str, Any]) -> Resource:
    """OPTIONS as the resource has them; None takes an option away. Raises InvalidQuery for one that does not exist."""
    found: Resource = {}
    for name, value in options.items():
        if name == "partition_expiration_days":
            continue  # part of the partitioning
        if name not in OPTION_KEYS:
            raise InvalidQuery(f"Unknown option: {name}")
        key = OPTION_KEYS[name]
        if name == "labels":
            value = None if value is None else {pair[0]: pair[1] for pair in value}
        elif key.endswith("ExpirationMs") and value is not None:
            value = str(int(float(value) * 86_400_000))
        elif isinstance(value, datetime):
            value = str(int(value.timestamp() * 1000))
        found[key] = value
    return found

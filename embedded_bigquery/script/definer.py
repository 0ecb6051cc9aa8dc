"""Runs CREATE statements against the catalog, and hands what changes or drops to the modifier."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from datetime import UTC, datetime
from typing import Any

from embedded_bigquery import tables
from embedded_bigquery.catalog import NAMED, Resource, fields_of, path_of
from embedded_bigquery.errors import Duplicate, EngineError, InvalidQuery, NotSupported
from embedded_bigquery.script.alterations import add_key
from embedded_bigquery.script.modifier import ROUTINE_KINDS, TABLE_KINDS, Modifier, check_table
from embedded_bigquery.script.names import Names
from embedded_bigquery.script.options import routine_options, set_options
from embedded_bigquery.script.outcome import Outcome
from embedded_bigquery.script.partitions import partitioning
from embedded_bigquery.script.routines import check_routine, default_value, routine_resource
from embedded_bigquery.script.session import Session
from embedded_bigquery.sql.assignments import stored
from embedded_bigquery.sql.ddl import ROUTINES, parse_definition
from embedded_bigquery.sql.definitions import Alter, Create, CreatePolicy, Drop, DropPolicy, Undrop
from embedded_bigquery.sql.environment import Routine, TablePath, Translated
from embedded_bigquery.sql.scope import Lowered
from embedded_bigquery.sql.tokens import moved
from embedded_bigquery.sql.translate import translate
from embedded_bigquery.types import Field, Type, quoted

ZONE_OF_OPTIONS = "America/Los_Angeles"  # where @@time_zone is not set; source: "System variables reference"
Evaluate = Callable[..., tuple[Type, Any]]
Measure = Callable[..., dict[str, Any]]  # what a translated statement reads, as Outcome has it
Definition = Create | Drop | Undrop | Alter | CreatePolicy | DropPolicy
COPIED = ("timePartitioning", "rangePartitioning", "clustering", "description", "labels", "requirePartitionFilter")


class Definer:
    def __init__(self, session: Session, names: Names, evaluate: Evaluate, measure: Measure) -> None:
        self.session, self.names, self.evaluate, self.measure = session, names, evaluate, measure
        self.catalog = session.catalog

    def run(self, text: str, *, dry_run: bool = False) -> Outcome:
        """Raises EngineError; a permanent definition inside a transaction is refused."""
        made = parse_definition(text, self._option)
        if self._is_temporary(made):
            return self._run(made, text, dry_run)
        if self.session.transaction is not None:
            raise InvalidQuery(
                "DDL statements are not supported in a transaction, except for those creating or droping temporary "
                "tables or temporary functions."
            )
        with self.catalog.alone():
            return self._run(made, text, dry_run)

    def _run(self, made: Definition, text: str, dry_run: bool) -> Outcome:
        if isinstance(made, CreatePolicy):
            self._check_policy(made, text)
        if isinstance(made, Create):
            return self._create(made, text, dry_run)
        return Modifier(self.session, self._default).run(made, dry_run=dry_run)

    def _is_temporary(self, made: Definition) -> bool:
        if isinstance(made, Create):
            return made.temporary
        if isinstance(made, Drop) and made.kind in ROUTINES:
            return len(made.path) == 1 and made.path[0].lower() in self.session.temporary_routines
        return self.session.temporary_key(made.path) is not None

    # ---- tables and views

    def _create(self, made: Create, text: str, dry_run: bool) -> Outcome:
        if made.kind in ROUTINES:
            return self._create_routine(made, text, dry_run)
        if made.kind == "SCHEMA":
            return self._create_schema(made, dry_run)
        kind = f"CREATE_{made.kind.replace(' ', '_')}"
        if made.query is not None and made.kind == "TABLE":
            kind += "_AS_SELECT"
        query, columns, costs = None, made.columns or (), {}
        if made.query is not None:
            # A view is read under any default dataset, so it names those of its tables itself.
            with self.session.qualified() if made.kind != "TABLE" else nullcontext():
                query = self._translated(made.query, text)
            columns = self._query_columns(made, query)
            costs = self._costs(made, query, dry_run)
        if made.temporary:
            return Outcome(kind, columns) if dry_run else self._create_temporary(made, columns, query, kind, costs)
        path = self.session.required_path(made.path)
        self.catalog.required_dataset(path.project, path.dataset)
        existing = self.catalog.table(path)
        if existing is not None and made.if_not_exists:
            return Outcome(kind, columns, target=path, operation="SKIP")
        resource: Resource = {"tableReference": table_reference(path), "type": TABLE_KINDS[made.kind]}
        source = None
        if made.source is not None:
            source = self._source(made, resource)
            columns = fields_of(source)
        resource["schema"] = {"fields": [field.api() for field in columns]}
        if made.partition is not None:
            resource.pop("rangePartitioning", None)
            resource |= partitioning(made.partition, columns, self._constant)
        if made.cluster:
            resource["clustering"] = {"fields": list(made.cluster)}
        for key in made.keys:
            add_key(resource, key)
        if made.kind in ("VIEW", "MATERIALIZED VIEW"):
            place = "view" if made.kind == "VIEW" else "materializedView"
            resource[place] = {"query": made.query, **({"useLegacySql": False} if place == "view" else {})}
            resource |= {NAMED: True} if made.columns else {}
            query = None
        set_options(made.kind, made.options, resource)
        check_table(self.catalog, resource)
        operation = "REPLACE" if existing is not None else "CREATE"
        if not dry_run:
            rows = None if query is None else self._rows(query, columns)
            if source is not None and made.source is not None and made.source[0] != "LIKE":
                rows = (f"FROM {self.catalog.duckdb_name(path_of(source))}", [])
            tables.create_table(
                self.catalog,
                self.session.connection,
                resource,
                replace=made.replace,
                query=rows,
                default=self._default,
                is_copy=source is not None and query is None,
            )
        return Outcome(kind, columns, target=path, operation=operation, **costs)

    def _check_policy(self, made: CreatePolicy, text: str) -> None:
        """The condition's names and types; its errors have their place in the text."""
        table = ".".join(f"`{part}`" for part in made.path)
        try:
            found = translate(f"SELECT * FROM {table} WHERE\n{made.condition}", self.names)
        except EngineError as error:
            if error.at is not None:
                error.at = moved((error.at[0] - 1, error.at[1]), text, text.rindex(made.condition))
            raise
        if found.binds:
            raise InvalidQuery("A row access policy can refer to neither parameters nor variables")

    def _costs(self, made: Create, query: Translated, dry_run: bool) -> dict[str, Any]:
        if made.kind == "TABLE":
            return self.measure(self.session, query, self.names, dry_run)
        for bind in query.binds:
            what = {"PARAMETER": "Query parameters", "VARIABLE": "Variables"}.get(bind.kind, "System variables")
            raise InvalidQuery(f"{what} cannot be used in the query of a view")
        temporary = next((read.relation.path.name for read in query.reads if read.relation.kind == "TEMP"), None)
        if temporary is not None:
            raise InvalidQuery(f"A view cannot refer to a temporary table: {temporary}")
        return {"referenced": tuple(read.relation.path for read in query.reads)}

    def _translated(self, query: str, text: str) -> Translated:
        """The query that ends the statement's text; its errors have their place in the text."""
        try:
            made = translate(query, self.names)
        except EngineError as error:
            if error.at is not None:
                error.at = moved(error.at, text, text.rindex(query))
            raise
        self.session.sees(made)
        return made

    def _constant(self, expression: str) -> Any:
        return self.evaluate(self.session, expression, self.names)[1]

    def _option(self, expression: str) -> Any:
        zone = self.session.settings["time_zone"] or ZONE_OF_OPTIONS
        return self.evaluate(self.session, expression, self.names.within_zone(zone))[1]

    def _default(self, column: Field) -> str:
        return default_value(column, self.names)

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
        self, made: Create, columns: tuple[Field, ...], query: Translated | None, kind: str, costs: dict[str, Any]
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
            rows, binds = self._rows(query, columns)
            self.session.run(f"INSERT INTO {target} {rows}", binds, writes=True)
        self.session.add_temporary(name, columns)
        return Outcome(kind, target=path, operation="REPLACE" if exists else "CREATE", **costs)

    def _rows(self, query: Translated, columns: tuple[Field, ...]) -> tuple[str, list[Any]]:
        """The query's rows as the columns keep them; raises InvalidQuery when BigQuery has no such conversion."""
        names = [f"c{position}" for position in range(len(columns))]
        pairs = zip(names, query.fields, columns, strict=True)
        values = [stored(Lowered(f"s.{name}", found.type), column) for name, found, column in pairs]
        binds = [self.names.value(bind) for bind in query.binds]
        if values == [f"s.{name}" for name in names]:
            return query.duckdb_sql, binds
        return f"SELECT {', '.join(values)} FROM ({query.duckdb_sql}) AS s({', '.join(names)})", binds

    def _source(self, made: Create, resource: Resource) -> Resource:
        """The table that is copied, whose layout and description the new one has."""
        assert made.source is not None
        word, parts = made.source
        path = self.session.required_path(parts)
        source = tables.required_table(self.catalog, path)
        is_clone = word == "CLONE" or made.kind == "SNAPSHOT TABLE"
        if word != "LIKE" or is_clone:
            tables.check_source(source)
        resource |= {key: source[key] for key in COPIED if key in source}
        if is_clone:
            kind = "snapshot" if made.kind == "SNAPSHOT TABLE" else "clone"
            resource[f"{kind}Definition"] = {"baseTableReference": table_reference(path), f"{kind}Time": _now()}
        return source

    def _create_schema(self, made: Create, dry_run: bool) -> Outcome:
        path = self.session.dataset_path(made.path)
        exists = self.catalog.dataset(path.project, path.dataset) is not None
        if exists and made.if_not_exists:
            return Outcome("CREATE_SCHEMA", operation="SKIP", target=path)
        resource: Resource = {"datasetReference": {"projectId": path.project, "datasetId": path.dataset}}
        set_options("SCHEMA", made.options, resource)
        if not dry_run:
            tables.create_dataset(self.catalog, self.session.connection, resource)
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


def table_reference(path: TablePath) -> dict[str, str]:
    return {"projectId": path.project, "datasetId": path.dataset, "tableId": path.name}


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

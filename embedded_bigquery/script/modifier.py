"""Runs DROP, UNDROP and ALTER statements, and those on row access policies, against the catalog."""

from __future__ import annotations

from embedded_bigquery import tables
from embedded_bigquery.catalog import POLICIES, Catalog, Resource, now_ms
from embedded_bigquery.errors import Duplicate, InvalidQuery, InvalidValue, NotFound, NotSupported, WrongKind
from embedded_bigquery.schema_changes import Default
from embedded_bigquery.script.alterations import altered
from embedded_bigquery.script.outcome import Outcome
from embedded_bigquery.script.session import Session
from embedded_bigquery.sql.ddl import ROUTINES
from embedded_bigquery.sql.definitions import (
    Alter,
    AlterColumn,
    CreatePolicy,
    Drop,
    DropPolicy,
    RenameTable,
    SetOptions,
    Undrop,
)
from embedded_bigquery.sql.environment import TablePath

TABLE_KINDS = {"TABLE": "TABLE", "VIEW": "VIEW", "MATERIALIZED VIEW": "MATERIALIZED_VIEW", "SNAPSHOT TABLE": "SNAPSHOT"}
ROUTINE_KINDS = {
    "FUNCTION": "SCALAR_FUNCTION",
    "AGGREGATE FUNCTION": "AGGREGATE_FUNCTION",
    "TABLE FUNCTION": "TABLE_VALUED_FUNCTION",
    "PROCEDURE": "PROCEDURE",
}


class Modifier:
    def __init__(self, session: Session, default: Default) -> None:
        """`default` turns the default value of a column into DuckDB text."""
        self.session, self.default = session, default
        self.catalog, self.connection = session.catalog, session.connection

    def run(self, made: Drop | Undrop | Alter | CreatePolicy | DropPolicy, *, dry_run: bool) -> Outcome:
        """Raises EngineError; a dry run changes nothing."""
        if isinstance(made, Drop):
            return self._drop(made, dry_run)
        if isinstance(made, Undrop):
            return self._undrop(made, dry_run)
        if isinstance(made, Alter):
            return self._alter_schema(made, dry_run) if made.kind == "SCHEMA" else self._alter(made, dry_run)
        return (
            self._create_policy(made, dry_run) if isinstance(made, CreatePolicy) else self._drop_policy(made, dry_run)
        )

    # ---- DROP

    def _drop(self, made: Drop, dry_run: bool) -> Outcome:
        kind = f"DROP_{made.kind.replace(' ', '_')}"
        if made.kind == "SCHEMA":
            return self._drop_schema(made, dry_run)
        if made.kind in ROUTINES:
            return self._drop_routine(made, kind, dry_run)
        key = self.session.temporary_key(made.path)
        if key is not None:
            if not dry_run:
                gone = self.session.forget_temporary(key)
                self.session.run(f"DROP TABLE IF EXISTS {gone.duckdb_name}", writes=True)
            path = TablePath(self.catalog.project, "_SESSION", made.path[-1])
            return Outcome(kind, target=path, operation="DROP")
        path = self.session.required_path(made.path)
        if self.catalog.table(path) is None and made.if_exists:
            return Outcome(kind, target=path, operation="SKIP")
        self._required(path, made.kind)
        if not dry_run:
            tables.drop_table(self.catalog, self.connection, path)
        return Outcome(kind, target=path, operation="DROP")

    def _required(self, path: TablePath, kind: str) -> Resource:
        """Raises NotFound, or WrongKind for a table of another kind."""
        found = tables.required_table(self.catalog, path)
        if found["type"] != TABLE_KINDS[kind]:
            raise WrongKind(tables.shown(path), found["type"])
        return found

    def _drop_schema(self, made: Drop, dry_run: bool) -> Outcome:
        path = self.session.dataset_path(made.path)
        if self.catalog.dataset(path.project, path.dataset) is None and made.if_exists:
            return Outcome("DROP_SCHEMA", target=path, operation="SKIP")
        if not dry_run:
            tables.delete_dataset(self.catalog, self.connection, path.project, path.dataset, contents=made.cascade)
        return Outcome("DROP_SCHEMA", target=path, operation="DROP")

    def _undrop(self, made: Undrop, dry_run: bool) -> Outcome:
        path = self.session.dataset_path(made.path)
        if made.if_not_exists and self.catalog.dataset(path.project, path.dataset) is not None:
            return Outcome("UNDROP_SCHEMA", target=path, operation="SKIP")
        if not dry_run:
            tables.undrop_dataset(self.catalog, self.connection, path.project, path.dataset)
        return Outcome("UNDROP_SCHEMA", target=path, operation="CREATE")

    def _drop_routine(self, made: Drop, kind: str, dry_run: bool) -> Outcome:
        if len(made.path) == 1 and not dry_run and self.session.forget_temporary_routine(made.path[0]):
            return Outcome(kind, operation="DROP")
        path = self.session.required_path(made.path, "Routine")
        existing = self.catalog.routine_resource(path)
        if existing is None and made.if_exists:
            return Outcome(kind, routine=path, operation="SKIP")
        if existing is not None and existing["routineType"] != ROUTINE_KINDS[made.kind]:
            raise InvalidValue(f"{tables.shown(path)} is a {existing['routineType']}, not a {made.kind}")
        if not dry_run:
            tables.drop_routine(self.catalog, self.connection, path)
        return Outcome(kind, routine=path, operation="DROP")

    # ---- ALTER

    def _alter_schema(self, made: Alter, dry_run: bool) -> Outcome:
        path = self.session.dataset_path(made.path)
        if made.if_exists and self.catalog.dataset(path.project, path.dataset) is None:
            return Outcome("ALTER_SCHEMA", operation="SKIP", target=path)
        dataset = self.catalog.required_dataset(path.project, path.dataset)
        if not all(isinstance(action, SetOptions) for action in made.actions):
            raise InvalidQuery("ALTER SCHEMA can only set options")
        changed, _ = altered(dataset, made.kind, made.actions, self.default)
        if not dry_run:
            tables.update_dataset(self.catalog, self.connection, changed)
        return Outcome("ALTER_SCHEMA", operation="ALTER", target=path)

    def _alter(self, made: Alter, dry_run: bool) -> Outcome:
        kind = f"ALTER_{made.kind.replace(' ', '_')}"
        if self.session.temporary_key(made.path) is not None:
            raise NotSupported("ALTER of a temporary table")
        path = self.session.required_path(made.path)
        if self.catalog.table(path) is None and made.if_exists:
            return Outcome(kind, target=path, operation="SKIP")
        existing = self._required(path, made.kind)
        if made.kind != "TABLE":
            self._check_view_actions(made)
        changed, statements = altered(existing, made.kind, made.actions, self.default)
        check_table(self.catalog, changed)
        renamed = changed["tableReference"] != existing["tableReference"]
        new = next((action for action in made.actions if isinstance(action, RenameTable)), None)
        if new is not None and self.catalog.table(TablePath(path.project, path.dataset, new.name)) is not None:
            raise Duplicate(f"Already Exists: Table {path.project}:{path.dataset}.{new.name}")
        if not dry_run:
            tables.alter_table(self.catalog, self.connection, changed, statements, path if renamed else None)
        return Outcome(kind, target=path, operation="ALTER")

    def _check_view_actions(self, made: Alter) -> None:
        """Views have options, and so have their columns; what else there is belongs to tables."""
        for action in made.actions:
            is_option = isinstance(action, SetOptions) or (
                made.kind == "VIEW" and isinstance(action, AlterColumn) and action.change == "OPTIONS"
            )
            if not is_option:
                raise InvalidQuery(f"ALTER {made.kind} can only set options")

    # ---- row access policies

    def _create_policy(self, made: CreatePolicy, dry_run: bool) -> Outcome:
        path = self.session.required_path(made.path)
        table = self._required(path, "TABLE")
        policies = list(table.get(POLICIES, ()))
        exists = any(policy["policyId"] == made.name for policy in policies)
        if exists and made.if_not_exists:
            return Outcome("CREATE_ROW_ACCESS_POLICY", target=path, operation="SKIP")
        if exists and not made.replace:
            raise Duplicate(f"Already Exists: Row access policy {tables.shown(path)}.{made.name}")
        now = str(now_ms())
        policy = {
            "policyId": made.name,
            "filterPredicate": made.condition,
            "grantees": list(made.grantees),
            "creationTime": now,
            "lastModifiedTime": now,
        }
        kept = [other for other in policies if other["policyId"] != made.name]
        if not dry_run:
            self._put_policies(table, [*kept, policy])
        operation = "REPLACE" if exists else "CREATE"
        return Outcome("CREATE_ROW_ACCESS_POLICY", target=path, operation=operation)

    def _drop_policy(self, made: DropPolicy, dry_run: bool) -> Outcome:
        path = self.session.required_path(made.path)
        table = self._required(path, "TABLE")
        kind = "DROP_ROW_ACCESS_POLICY" if made.name is not None else "DROP_ALL_ROW_ACCESS_POLICIES"
        policies = table.get(POLICIES, ())
        kept = [policy for policy in policies if made.name is not None and policy["policyId"] != made.name]
        if made.name is not None and len(kept) == len(policies):
            if made.if_exists:
                return Outcome(kind, target=path, operation="SKIP")
            raise NotFound(f"Not found: Row access policy {made.name} on table {tables.shown(path)}")
        if not dry_run:
            self._put_policies(table, kept)
        return Outcome(kind, target=path, operation="DROP")

    def _put_policies(self, table: Resource, policies: list[Resource]) -> None:
        tables.alter_table(self.catalog, self.connection, {**table, POLICIES: policies}, ())


def check_table(catalog: Catalog, resource: Resource) -> None:
    """What a client is told of its request is in a statement an error of the query; raises InvalidQuery."""
    try:
        tables.check(catalog, resource)
    except WrongKind:
        raise
    except InvalidValue as error:
        raise InvalidQuery(error.message) from error

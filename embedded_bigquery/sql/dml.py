"""INSERT, UPDATE, DELETE, MERGE and TRUNCATE -> DuckDB."""

from __future__ import annotations

from collections.abc import Sequence

from embedded_bigquery.errors import InvalidQuery, NotSupported, WrongKind
from embedded_bigquery.sql import nodes
from embedded_bigquery.sql.assignments import stored, target_field, with_field
from embedded_bigquery.sql.environment import Guard, Relation, Translated
from embedded_bigquery.sql.pruning import covers_whole_partitions
from embedded_bigquery.sql.queries import Queries
from embedded_bigquery.sql.scope import Block, Lowered, Scope, renumbered
from embedded_bigquery.sql.sources import PARTITION_TIME, visible_columns
from embedded_bigquery.types import TIMESTAMP, Field, quoted

TWICE = "UPDATE/MERGE must match at most one source row for each target row"


class Dml(Queries):
    def translate(self, node: nodes.Statement) -> Translated:
        if isinstance(node, nodes.Insert):
            return self._insert(node)
        if isinstance(node, nodes.Update):
            return self._update(node)
        if isinstance(node, nodes.Delete):
            return self._delete(node)
        if isinstance(node, nodes.Merge):
            return self._merge(node)
        assert isinstance(node, nodes.Truncate)
        target = self._target(node.path, node.at)
        scope = self._scope()
        name = self.table_source(target, target.path.name, scope, node.at)
        where = f" WHERE {self.boolean(node.where, scope, 'WHERE clause')}" if node.where is not None else ""
        return self._done("TRUNCATE_TABLE", f"DELETE FROM {name}{where}", target)

    def _done(self, kind: str, sql: str, target: Relation, guards: Sequence[str] = ()) -> Translated:
        statement = self.statement
        made = tuple(Guard(text, TWICE, binds) for text, binds in map(renumbered, guards))
        return Translated(kind, sql, (), tuple(statement.binds), statement.reads(), target, made)

    def _scope(self) -> Scope:
        return Scope(self.statement, Scope(self.statement), block=Block())

    def _target(self, path: nodes.Names, at: nodes.Place, *, inserts: bool = False) -> Relation:
        found = self.relation(path, at)
        if found.kind not in ("TABLE", "TEMP"):
            raise WrongKind(found.path, "VIEW" if found.kind == "INFORMATION_SCHEMA" else found.kind)
        if found.row_filter not in (None, "TRUE") and not inserts:
            raise NotSupported(f"changing rows of {found.path}, which has row access policies", at=at)
        return found

    def _condition(self, node: nodes.Update | nodes.Delete, scope: Scope, verb: str) -> str:
        if node.where is None:
            raise InvalidQuery(f"{verb} must have a WHERE clause", at=node.at)
        assert scope.block is not None
        scope.block.loose.clear()
        text = self.boolean(node.where, scope.variant(clause="WHERE clause"), "WHERE clause")
        self.check_partition_filters(scope)
        self.prune(node.where, scope)
        return text

    # ---- INSERT

    def _insert(self, node: nodes.Insert) -> Translated:
        target = self._target(node.path, node.at, inserts=True)
        fields = self._fields(target, node.columns, node.at)
        if isinstance(node.rows, nodes.Query):
            sql = self._selected(node.rows, fields)
        else:
            scope = Scope(self.statement, clause="INSERT VALUES")
            rows = [f"({', '.join(self._values(row, fields, scope, node.at))})" for row in node.rows]
            sql = f"VALUES {', '.join(rows)}"
        columns = ", ".join(quoted(field.name) for field in fields)
        return self._done("INSERT", f"INSERT INTO {target.duckdb_name} ({columns}) {sql}", target)

    def _fields(self, target: Relation, names: Sequence[str] | None, at: nodes.Place) -> list[Field]:
        """The columns that an INSERT fills; raises InvalidQuery when a required one is left out."""
        if names is None:
            return list(target.fields)
        found = [self._field(target, name, at) for name in names]
        for field in found:
            if sum(field is other for other in found) > 1:
                raise InvalidQuery(f"INSERT has columns with duplicate name: {field.name}", at=at)
        missing = [f.name for f in target.fields if f.required and f.default is None and f not in found]
        if missing:
            raise InvalidQuery(f"Missing values for required columns in INSERT: {', '.join(missing)}", at=at)
        return found

    def _field(self, target: Relation, name: str, at: nodes.Place) -> Field:
        for field in target.fields:
            if field.name.lower() == name.lower():
                return field
        if target.partition_column == PARTITION_TIME and name.upper() == PARTITION_TIME:
            return Field(PARTITION_TIME, TIMESTAMP)
        raise InvalidQuery(f"Column {name} is not present in table {target.path}", at=at)

    def _selected(self, query: nodes.Query, fields: list[Field]) -> str:
        sql, columns = self.query(query, None)
        if len(columns) != len(fields):
            message = f"Inserted row has wrong column count; Has {len(columns)}, expected {len(fields)}"
            raise InvalidQuery(message, at=query.at)
        values = [
            self._stored(Lowered(f"s.c{n}", column.type), field, query)
            for n, (column, field) in enumerate(zip(columns, fields, strict=True))
        ]
        names = ", ".join(f"c{n}" for n in range(len(columns)))
        if values == [f"s.c{n}" for n in range(len(columns))]:
            return sql
        return f"SELECT {', '.join(values)} FROM ({sql}) AS s({names})"

    def _values(self, row: Sequence[nodes.Node], fields: list[Field], scope: Scope, at: nodes.Place) -> list[str]:
        if len(row) != len(fields):
            message = f"Inserted row has wrong column count; Has {len(row)}, expected {len(fields)}"
            raise InvalidQuery(message, at=at)
        return [self._value(item, field, scope) for item, field in zip(row, fields, strict=True)]

    def _value(self, node: nodes.Node, field: Field, scope: Scope) -> str:
        """The value that a column gets, DEFAULT included."""
        if isinstance(node, nodes.Default):
            return "DEFAULT"
        return self._stored(self.typed(node, scope, field.type), field, node)

    def _stored(self, value: Lowered, field: Field, node: nodes.Node) -> str:
        try:
            return stored(value, field)
        except InvalidQuery as error:
            raise InvalidQuery(error.bare_message, at=error.at or node.at) from error

    # ---- UPDATE, DELETE

    def _update(self, node: nodes.Update) -> Translated:
        target = self._target(node.path, node.at)
        scope = self._scope()
        name = self.table_source(target, node.alias or target.path.name, scope, node.at)
        source = f" FROM {self._beside(node.source, scope)}" if node.source is not None else ""
        where = self._condition(node, scope, "UPDATE")
        settings = self._settings(node.settings, target, scope)
        guards = []
        if node.source is not None:
            row = f"{quoted(scope.sources[0].alias)}.rowid"
            guards = [f"SELECT 1 FROM {name},{source[5:]} WHERE {where} GROUP BY {row} HAVING count(*) > 1 LIMIT 1"]
        self._rewrites(scope)
        return self._done("UPDATE", f"UPDATE {name} SET {settings}{source} WHERE {where}", target, guards)

    def _beside(self, node: nodes.Node, scope: Scope) -> str:
        """What stands beside the target: it does not see the target's columns inside its subqueries."""
        return self.source(node, scope)

    def _settings(self, settings: Sequence[nodes.Setting], target: Relation, scope: Scope) -> str:
        whole: dict[str, str] = {}
        parts: dict[str, tuple[Field, dict[tuple[str, ...], str]]] = {}
        for setting in settings:
            field, path = self._setting_target(setting, target, scope)
            if not path:
                if field.name in whole or field.name in parts:
                    raise InvalidQuery(f"Update item {field.name} assigned more than once", at=setting.at)
                whole[field.name] = self._value(setting.value, field, scope)
                continue
            if field.name in whole:
                raise InvalidQuery(f"Update item {field.name} assigned more than once", at=setting.at)
            inner = target_field(field.type, path, field.name)
            changes = parts.setdefault(field.name, (field, {}))[1]
            key = tuple(name.lower() for name in path)
            if key in changes:
                raise InvalidQuery(f"Update item {'.'.join(setting.target)} assigned more than once", at=setting.at)
            changes[key] = (
                "NULL" if isinstance(setting.value, nodes.Default) else self._value(setting.value, inner, scope)
            )
        for name, (field, changes) in parts.items():
            own = scope.sources[0].column(name)
            assert own is not None
            whole[name] = with_field(field.type, own.sql, changes, name)
        return ", ".join(f"{quoted(name)} = {value}" for name, value in whole.items())

    def _setting_target(self, node: nodes.Setting, target: Relation, scope: Scope) -> tuple[Field, nodes.Names]:
        """The column of the target that is set, and the path inside of it."""
        names = node.target
        own = {field.name.lower() for field in target.fields}
        if len(names) > 1 and names[0].lower() == scope.sources[0].alias.lower() and names[1].lower() in own:
            names = names[1:]
        return self._field(target, names[0], node.at), names[1:]

    def _delete(self, node: nodes.Delete) -> Translated:
        target = self._target(node.path, node.at)
        scope = self._scope()
        name = self.table_source(target, node.alias or target.path.name, scope, node.at)
        where = self._condition(node, scope, "DELETE")
        if covers_whole_partitions(node.where, scope.sources[0], scope):
            self.statement.references.pop(0)  # BigQuery drops the partitions and reads nothing
        else:
            self._rewrites(scope)
        return self._done("DELETE", f"DELETE FROM {name} WHERE {where}", target)

    def _rewrites(self, scope: Scope) -> None:
        """All columns of the target's partitions count as read, since their rows are written anew."""
        reference = scope.sources[0].reference
        assert reference is not None
        reference.columns.update(field.name for field in reference.relation.fields)

    # ---- MERGE

    def _merge(self, node: nodes.Merge) -> Translated:
        target = self._target(node.path, node.at)
        scope = self._scope()
        name = self.table_source(target, node.alias or target.path.name, scope, node.at)
        source = self.source(node.source, scope)
        both = list(scope.sources)
        condition = self.boolean(node.on, scope.variant(clause="MERGE ON clause"), "MERGE ON clause")
        clauses, tests = [], []
        for when in node.whens:
            # Each clause sees the sides that exist for it.
            sides = {"MATCHED": both, "NOT MATCHED BY SOURCE": both[:1]}.get(when.matched, both[1:])
            visible = scope.variant(sources=sides, clause="MERGE")
            test = "TRUE"
            if when.condition is not None:
                test = self.boolean(when.condition, visible, "MERGE WHEN clause")
            if when.matched == "MATCHED":
                tests.append(test)
            extra = f" AND {test}" if when.condition is not None else ""
            clauses.append(f"WHEN {when.matched}{extra} THEN {self._action(when, target, visible, both[1:])}")
        guards = []
        if tests:
            row = f"{quoted(both[0].alias)}.rowid"
            where = "" if "TRUE" in tests else f" WHERE {' OR '.join(tests)}"
            joined = f"{name} JOIN {source} ON {condition}{where}"
            guards = [f"SELECT 1 FROM {joined} GROUP BY {row} HAVING count(*) > 1 LIMIT 1"]
        self.prune(node.on, scope)
        if any(when.action != "INSERT" for when in node.whens):
            self._rewrites(scope)
        sql = f"MERGE INTO {name} USING {source} ON {condition} {' '.join(clauses)} RETURNING merge_action"
        return self._done("MERGE", sql, target, guards)

    def _action(self, when: nodes.When, target: Relation, scope: Scope, source: list) -> str:  # type: ignore[type-arg]
        if when.action == "DELETE":
            return "DELETE"
        if when.action == "UPDATE":
            return f"UPDATE SET {self._settings(when.settings, target, scope)}"
        fields = self._fields(target, when.columns, when.at)
        if when.values is None:
            given = [column for one in source for column in visible_columns(one)]
            if len(given) != len(fields):
                message = f"Inserted row has wrong column count; Has {len(given)}, expected {len(fields)}"
                raise InvalidQuery(message, at=when.at)
            pairs = zip(given, fields, strict=True)
            values = [stored(Lowered(column.sql, column.type), field) for column, field in pairs]
        else:
            values = self._values(when.values, fields, scope, when.at)
        columns = ", ".join(quoted(field.name) for field in fields)
        return f"INSERT ({columns}) VALUES ({', '.join(values)})"

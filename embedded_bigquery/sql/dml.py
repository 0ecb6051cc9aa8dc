"""INSERT, UPDATE, DELETE, MERGE and TRUNCATE -> DuckDB."""

from __future__ import annotations

from sqlglot import exp

from embedded_bigquery.errors import InvalidQuery, NotSupported
from embedded_bigquery.sql.dialect import place
from embedded_bigquery.sql.environment import Relation, Translated
from embedded_bigquery.sql.expressions import path_of
from embedded_bigquery.sql.functions.registry import converted
from embedded_bigquery.sql.functions.signatures import coerces
from embedded_bigquery.sql.queries import Queries
from embedded_bigquery.sql.scope import Lowered, Scope, Statement
from embedded_bigquery.types import Field, quoted


class Dml(Queries):
    def __init__(self, statement: Statement) -> None:
        super().__init__(statement)

    def translate(self, tree: exp.Expression) -> Translated:
        if isinstance(tree, exp.Insert):
            return self._insert(tree)
        if isinstance(tree, exp.Update):
            return self._update(tree)
        if isinstance(tree, exp.Delete):
            return self._delete(tree)
        if isinstance(tree, exp.Merge):
            return self._merge(tree)
        if isinstance(tree, exp.TruncateTable):
            target = self._target(tree.expressions[0])
            return self._done("TRUNCATE_TABLE", f"DELETE FROM {target.duckdb_name}", target)
        raise NotSupported(f"{tree.key} statement")

    def _done(self, kind: str, sql: str, target: Relation) -> Translated:
        from embedded_bigquery.sql.translate import reads_of

        statement = self.statement
        return Translated(kind, sql, (), tuple(statement.binds), reads_of(statement), target)

    def _target(self, node: exp.Expression) -> Relation:
        parts = tuple(
            name
            for key in ("catalog", "db", "this")
            if (part := node.args.get(key)) is not None
            for name in part.name.split(".")
        )
        found = self.relation(parts, place(node))
        if found.view_query is not None:
            raise InvalidQuery(f"Cannot modify {found.path}: it is a view")
        return found

    def _where(self, node: exp.Expression, scope: Scope, verb: str) -> str:
        clause = node.args.get("where")
        if clause is None:
            raise InvalidQuery(f"{verb} must have a WHERE clause", at=place(node))
        return self.boolean(clause.this, scope, "WHERE clause")

    # ---- INSERT

    def _insert(self, node: exp.Insert) -> Translated:
        schema = node.this
        target = self._target(schema.this if isinstance(schema, exp.Schema) else schema)
        names = [item.name for item in schema.expressions] if isinstance(schema, exp.Schema) else None
        fields = [self._field(target, name) for name in names] if names else list(target.fields)
        sql = self._rows(node.expression, fields)
        columns = ", ".join(quoted(field.name) for field in fields)
        return self._done("INSERT", f"INSERT INTO {target.duckdb_name} ({columns}) {sql}", target)

    def _field(self, target: Relation, name: str) -> Field:
        for field in target.fields:
            if field.name.lower() == name.lower():
                return field
        raise InvalidQuery(f"Column {name} is not present in table {target.path}")

    def _rows(self, source: exp.Expression, fields: list[Field]) -> str:
        if not isinstance(source, exp.Values):
            sql, columns = self.query(source, None)
            if len(columns) != len(fields):
                raise InvalidQuery(
                    f"Inserted row has wrong column count; Has {len(columns)}, expected {len(fields)}", at=place(source)
                )
            values = [
                self.assigned(Lowered(f"s.c{n}", column.type), field)
                for n, (column, field) in enumerate(zip(columns, fields, strict=True))
            ]
            names = ", ".join(f"c{n}" for n in range(len(columns)))
            return f"SELECT {', '.join(values)} FROM ({sql}) AS s({names})"
        rows = []
        scope = Scope(self.statement)
        for row in source.expressions:
            items = row.expressions if isinstance(row, exp.Tuple) else [row]
            if len(items) != len(fields):
                raise InvalidQuery(
                    f"Inserted row has wrong column count; Has {len(items)}, expected {len(fields)}", at=place(source)
                )
            values = [self.value(item, field, scope) for item, field in zip(items, fields, strict=True)]
            rows.append(f"({', '.join(values)})")
        return f"VALUES {', '.join(rows)}"

    def value(self, node: exp.Expression, field: Field, scope: Scope) -> str:
        """The value that a column gets, DEFAULT included."""
        if isinstance(node, exp.Var) and node.name.upper() == "DEFAULT":
            return "DEFAULT"
        value = self.expression(node, scope)
        literal = isinstance(node, exp.Literal | exp.Parameter | exp.Placeholder)
        return self.assigned(value, field, literal=literal)

    def assigned(self, value: Lowered, field: Field, *, literal: bool = False) -> str:
        """The value as the column's type; raises InvalidQuery when BigQuery has no such conversion."""
        if (
            value.type is not None
            and coerces(value.type, field.type, literal=True) is None
            and not (value.type.is_array and field.type.is_array)
        ):
            raise InvalidQuery(
                f"Value has type {value.type} which cannot be inserted into column {field.name}, "
                f"which has type {field.type}"
            )
        return converted(value.sql, value.type, field.type)

    # ---- UPDATE, DELETE

    def _update(self, node: exp.Update) -> Translated:
        target = self._target(node.this)
        alias = node.this.alias or target.path.name
        scope = Scope(self.statement, Scope(self.statement))
        name = self.table_source(target, alias, scope)
        source = node.args.get("from_")
        text = ""
        if source is not None:
            text = f" FROM {self.from_item(source.this, scope)}"
            for join in source.this.args.get("joins") or []:
                text += self.join(join, scope)
        where = self._where(node, scope, "UPDATE")
        settings = ", ".join(self._setting(item, target, scope) for item in node.expressions)
        return self._done("UPDATE", f"UPDATE {name} SET {settings}{text} WHERE {where}", target)

    def _setting(self, node: exp.Expression, target: Relation, scope: Scope) -> str:
        path = path_of(node.this)
        if path is None:
            raise InvalidQuery("UPDATE SET needs a column", at=place(node))
        names = [part.name for part in path]
        if (
            len(names) > 1
            and scope.source(names[0]) is not None
            and all(names[0].lower() != field.name.lower() for field in target.fields)
        ):
            names = names[1:]
        if len(names) > 1:
            raise NotSupported("UPDATE of a field of a STRUCT", at=place(node))
        field = self._field(target, names[0])
        return f"{quoted(field.name)} = {self.value(node.expression, field, scope)}"

    def _delete(self, node: exp.Delete) -> Translated:
        target = self._target(node.this)
        scope = Scope(self.statement, Scope(self.statement))
        name = self.table_source(target, node.this.alias or target.path.name, scope)
        where = self._where(node, scope, "DELETE")
        return self._done("DELETE", f"DELETE FROM {name} WHERE {where}", target)

    # ---- MERGE

    def _merge(self, node: exp.Merge) -> Translated:
        target = self._target(node.this)
        scope = Scope(self.statement, Scope(self.statement))
        name = self.table_source(target, node.this.alias or target.path.name, scope)
        source = self.from_item(node.args["using"], scope)
        both = list(scope.sources)
        condition = self.boolean(node.args["on"], scope, "MERGE ON clause")
        clauses = []
        for when in node.args["whens"].expressions:
            by_source = bool(when.args.get("source"))
            # Each clause sees the sides that exist for it.
            scope.sources = both if when.args["matched"] else both[:1] if by_source else both[1:]
            head = "MATCHED" if when.args["matched"] else f"NOT MATCHED BY {'SOURCE' if by_source else 'TARGET'}"
            extra = when.args.get("condition")
            if extra is not None:
                head += f" AND {self.boolean(extra, scope, 'MERGE WHEN clause')}"
            clauses.append(f"WHEN {head} THEN {self._action(when.args['then'], target, scope)}")
        # BigQuery refuses a target row that two source rows would change; DuckDB would change it twice.
        return self._done("MERGE", f"MERGE INTO {name} USING {source} ON {condition} {' '.join(clauses)}", target)

    def _action(self, node: exp.Expression, target: Relation, scope: Scope) -> str:
        if isinstance(node, exp.Update):
            return f"UPDATE SET {', '.join(self._setting(item, target, scope) for item in node.expressions)}"
        if isinstance(node, exp.Insert):
            if node.this is None or isinstance(node.this, exp.Star) or not isinstance(node.this, exp.Tuple):
                fields = list(target.fields)
            else:
                fields = [self._field(target, item.name) for item in node.this.expressions]
            columns = ", ".join(quoted(field.name) for field in fields)
            if node.expression is None:
                values = [f"{quoted(scope.sources[0].alias)}.c{n}" for n in range(len(fields))]
            else:
                items = node.expression.expressions
                if len(items) != len(fields):
                    raise InvalidQuery(f"Inserted row has wrong column count; Has {len(items)}, expected {len(fields)}")
                values = [self.value(item, field, scope) for item, field in zip(items, fields, strict=True)]
            return f"INSERT ({columns}) VALUES ({', '.join(values)})"
        return "DELETE"

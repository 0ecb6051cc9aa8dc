"""A GoogleSQL expression -> DuckDB text and BigQuery's type, in one walk of the tree."""

from __future__ import annotations

import base64
from abc import ABC, abstractmethod
from collections.abc import Callable
from decimal import Decimal
from typing import ClassVar

from sqlglot import exp

from embedded_bigquery.errors import InvalidQuery, NotSupported
from embedded_bigquery.sql.dialect import GoogleSQL, place
from embedded_bigquery.sql.functions.cast_formats import cast_by_format
from embedded_bigquery.sql.functions.conversion import cast
from embedded_bigquery.sql.functions.date_parts import interval
from embedded_bigquery.sql.functions.duckdb_text import literal
from embedded_bigquery.sql.functions.intervals import literal_interval
from embedded_bigquery.sql.functions.registry import Call, Function, converted, lookup, supertype
from embedded_bigquery.sql.functions.signatures import parse_type
from embedded_bigquery.sql.operators import BINARY, UNARY
from embedded_bigquery.sql.scope import Column, Lowered, Scope, _fields, resolve
from embedded_bigquery.types import (
    BOOL,
    BYTES,
    FLOAT64,
    INT64,
    INTERVAL,
    JSON,
    STRING,
    Field,
    Type,
    array_of,
    quoted,
)

Handler = Callable[["Expressions", exp.Expression, Scope], Lowered]


def type_of(node: exp.Expression) -> Type:
    """The type that a DataType node names; raises InvalidQuery."""
    text = node.sql(dialect=GoogleSQL)
    try:
        return parse_type(text)
    except ValueError:
        raise InvalidQuery(f"Type not found: {text}", at=place(node)) from None


def path_of(node: exp.Expression) -> list[exp.Identifier] | None:
    """The identifiers of a.b.c, or None when the node is no plain path."""
    if isinstance(node, exp.Identifier):
        return [node]
    if isinstance(node, exp.Column) and isinstance(node.this, exp.Identifier):
        return [part for key in ("catalog", "db", "table", "this") if (part := node.args.get(key)) is not None]
    if isinstance(node, exp.Dot):
        left = path_of(node.this)
        return None if left is None or not isinstance(node.expression, exp.Identifier) else [*left, node.expression]
    return None


class Expressions(ABC):
    """Lowers expressions; queries inside them are the subclass's."""

    handlers: ClassVar[dict[type[exp.Expression], Handler]] = {}

    @abstractmethod
    def query(self, node: exp.Expression, parent: Scope | None) -> tuple[str, tuple[Column, ...]]:
        """DuckDB text and columns of a query that sees the names of `parent`."""

    def expression(self, node: exp.Expression, scope: Scope) -> Lowered:
        path = path_of(node)
        if path is not None:
            return resolve(scope, [part.name for part in path], place(path[0]))
        kind = type(node)
        if kind in BINARY:
            return self.call(BINARY[kind], [node.this, node.expression], scope, node)
        if kind in UNARY:
            if kind is exp.Neg and isinstance(node.this, exp.Literal) and not node.this.is_string:
                return self._number(f"-{node.this.name}")
            return self.call(UNARY[kind], [node.this], scope, node)
        handler = self.handlers.get(kind)
        if handler is None:
            raise NotSupported(f"{node.key} expression", at=place(node))
        return handler(self, node, scope)

    def boolean(self, node: exp.Expression, scope: Scope, clause: str) -> str:
        value = self.expression(node, scope)
        if value.type not in (BOOL, None):
            raise InvalidQuery(f"{clause} should return type BOOL, but returns {value.type}", at=place(node))
        return value.sql

    def coerced(self, node: exp.Expression, scope: Scope, target: Type) -> str:
        value = self.expression(node, scope)
        return converted(value.sql, value.type, target)

    # ---- calls

    def call(
        self,
        function: Function,
        arguments: list[exp.Expression],
        scope: Scope,
        node: exp.Expression,
        **extra: object,
    ) -> Lowered:
        keywords = function.keyword_positions
        inner = scope
        named = {
            argument.this.name.lower(): self.expression(argument.expression, inner)
            for argument in arguments
            if isinstance(argument, exp.Kwarg)
        }
        arguments = [argument for argument in arguments if not isinstance(argument, exp.Kwarg)]
        lowered = [
            Lowered(argument.sql(dialect=GoogleSQL)) if position in keywords else self._argument(argument, inner)
            for position, argument in enumerate(arguments)
        ]
        made = Call(
            function.name,
            tuple(value.sql for value in lowered),
            tuple(value.type for value in lowered),
            tuple(arguments),
            named={name: (value.sql, value.type) for name, value in named.items()},
            **extra,  # type: ignore[arg-type]
        )
        try:
            bound = function.bind(made)
            return Lowered(function.render(bound), bound.result)
        except InvalidQuery as error:
            if error.at is not None:
                raise
            error.at = place(node)
            raise

    def _argument(self, node: exp.Expression, scope: Scope) -> Lowered:
        return Lowered("*") if isinstance(node, exp.Star) else self.expression(node, scope)

    def function_call(self, node: exp.Expression, scope: Scope, over: str = "", safe: bool = False) -> Lowered:
        """A call by name, with what stands inside its parentheses: DISTINCT, ORDER BY, LIMIT, IGNORE NULLS, HAVING."""
        name = str(node.this).upper()
        if name in ("ARRAY", "STRUCT") and not over:
            return self._array_query(node, scope) if name == "ARRAY" else self._struct(node, scope)
        function = lookup(f"SAFE.{name}" if safe else name)
        if function is None:
            raise InvalidQuery(f"Function not found: {name}", at=place(node))
        arguments, extra = self._modifiers(list(node.expressions), scope)
        if over:
            extra["over"] = over
        if function.is_aggregate and scope.aliases:
            scope = Scope(scope.statement, scope.parent, scope.sources, scope.merged, tables=scope.tables)
        return self.call(function, arguments, scope, node, **extra)

    def _modifiers(
        self, arguments: list[exp.Expression], scope: Scope
    ) -> tuple[list[exp.Expression], dict[str, object]]:
        extra: dict[str, object] = {}
        for position, argument in enumerate(arguments):
            while isinstance(
                argument, exp.Limit | exp.Order | exp.IgnoreNulls | exp.RespectNulls | exp.Distinct | exp.HavingMax
            ):
                if isinstance(argument, exp.Limit):
                    extra["limit"] = self.expression(argument.expression, scope).sql
                elif isinstance(argument, exp.Order):
                    extra["order_by"] = self.order_by(argument.expressions, scope)
                elif isinstance(argument, exp.HavingMax):
                    extra["having"] = (
                        "MAX" if argument.args.get("max") else "MIN",
                        self.expression(argument.expression, scope).sql,
                    )
                elif isinstance(argument, exp.Distinct):
                    extra["distinct"] = True
                    arguments[position : position + 1] = argument.expressions
                    argument = arguments[position]
                    continue
                else:
                    extra["nulls"] = "IGNORE" if isinstance(argument, exp.IgnoreNulls) else "RESPECT"
                argument = argument.this
            arguments[position] = argument
        return arguments, extra

    def order_by(self, items: list[exp.Expression], scope: Scope) -> str:
        parts = []
        for item in items:
            value = self.expression(item.this, scope).sql
            direction = "DESC" if item.args.get("desc") else "ASC"
            parts.append(f"{value} {direction} NULLS {'FIRST' if item.args.get('nulls_first') else 'LAST'}")
        return ", ".join(parts)

    # ---- literals

    def _number(self, text: str) -> Lowered:
        if text.lstrip("-").lower().startswith("0x"):
            return Lowered(f"CAST({int(text, 16)} AS BIGINT)", INT64)
        if text.lstrip("-").isdigit():
            if not -(2**63) <= int(text) < 2**63:
                raise InvalidQuery(f"Invalid integer literal: {text}")
            return Lowered(f"CAST({text} AS BIGINT)", INT64)
        return Lowered(f"CAST({text if 'e' in text.lower() else Decimal(text)} AS DOUBLE)", FLOAT64)

    def _literal(self, node: exp.Expression, scope: Scope) -> Lowered:
        return Lowered(literal(node.name), STRING) if node.args.get("is_string") else self._number(node.name)

    def _bytes(self, node: exp.Expression, scope: Scope) -> Lowered:
        # sqlglot reads the escape of a byte as the character of that number.
        data = b"".join(letter.encode("latin-1" if letter < "\u0100" else "utf-8") for letter in node.name)
        return Lowered(f"from_base64('{base64.b64encode(data).decode('ascii')}')", BYTES)

    def _json(self, node: exp.Expression, scope: Scope) -> Lowered:
        function = lookup("PARSE_JSON")
        assert function is not None
        return self.call(function, [node.this], scope, node)

    def _interval(self, node: exp.Expression, scope: Scope) -> Lowered:
        unit, value = node.args.get("unit"), node.this
        if unit is None:
            raise InvalidQuery("A valid date part name is required in INTERVAL", at=place(node))
        if isinstance(value, exp.Literal):
            # sqlglot reads INTERVAL 5 DAY as INTERVAL '5' DAY.
            first, last = (unit.this, unit.expression) if isinstance(unit, exp.IntervalSpan) else (unit, unit)
            return Lowered(literal_interval(value.name, first.name.upper(), last.name.upper()), INTERVAL)
        return Lowered(interval(self.coerced(value, scope, INT64), unit.name.upper()), INTERVAL)

    # ---- constructors

    def _array(self, node: exp.Expression, scope: Scope) -> Lowered:
        values = [self.expression(item, scope) for item in node.expressions]
        element = supertype([value.type for value in values]) or (INT64 if not values else values[0].type)
        if element is None:
            return Lowered(f"[{', '.join(value.sql for value in values)}]")
        inner = ", ".join(converted(value.sql, value.type, element) for value in values)
        return Lowered(f"CAST([{inner}] AS {element.duckdb()}[])", array_of(element))

    def _array_query(self, node: exp.Expression, scope: Scope) -> Lowered:
        sql, columns = self.query(node.expressions[0], scope)
        if len(columns) != 1:
            raise InvalidQuery("ARRAY subquery cannot have more than one column", at=place(node))
        kind = columns[0].type
        return Lowered(
            f"coalesce((SELECT list(v) FROM ({sql}) AS _q(v)), [])", None if kind is None else array_of(kind)
        )

    def _struct(self, node: exp.Expression, scope: Scope) -> Lowered:
        fields, parts = [], []
        for item in node.expressions:
            inner = item.this if isinstance(item, exp.Alias | exp.PropertyEQ) else item
            if isinstance(item, exp.PropertyEQ):
                inner = item.expression
            value = self.expression(inner, scope)
            name = item.alias if isinstance(item, exp.Alias) else value.name
            if isinstance(item, exp.PropertyEQ):
                name = item.this.name
            fields.append(Field(name, value.type or INT64))
            parts.append(value.sql if value.type else f"CAST({value.sql} AS BIGINT)")
        kind = Type("STRUCT", fields=tuple(fields))
        inner_sql = ", ".join(f"{quoted(n)} := {p}" for (n, _), p in zip(kind.storage_fields(), parts, strict=True))
        return Lowered(f"struct_pack({inner_sql})", kind)

    def _cast(self, node: exp.Expression, scope: Scope) -> Lowered:
        target = type_of(node.args["to"])
        safe = isinstance(node, exp.TryCast)
        if isinstance(node.this, exp.Struct) and target.is_struct:
            value = self._struct(node.this, scope)
            renamed = Type("STRUCT", fields=target.fields)
            return Lowered(cast(value.sql, value.type, renamed, safe=safe), target)
        value = self.expression(node.this, scope)
        form = node.args.get("format")
        if form is not None:
            zone = self.coerced(form.args["zone"], scope, STRING) if isinstance(form, exp.AtTimeZone) else None
            text = self.coerced(form.this if zone else form, scope, STRING)
            return Lowered(cast_by_format(value.sql, value.type, target, text, safe=safe, zone=zone), target)
        if value.type is None:
            return Lowered(f"CAST({value.sql} AS {target.duckdb()})", target)
        return Lowered(cast(value.sql, value.type, target, safe=safe), target, value.name)

    # ---- conditions

    def _case(self, node: exp.Expression, scope: Scope) -> Lowered:
        subject = node.args.get("this")
        branches = [(branch.this, branch.args["true"]) for branch in node.args["ifs"]]
        default = node.args.get("default")
        results = [self.expression(value, scope) for _, value in branches]
        if default is not None:
            results.append(self.expression(default, scope))
        kind = supertype([result.type for result in results])
        parts = []
        for (condition, _), result in zip(branches, results, strict=False):
            if subject is not None:
                test = self.call(BINARY[exp.EQ], [subject, condition], scope, node).sql
            else:
                test = self.boolean(condition, scope, "CASE WHEN")
            parts.append(f"WHEN {test} THEN {converted(result.sql, result.type, kind) if kind else result.sql}")
        if default is not None:
            last = results[-1]
            parts.append(f"ELSE {converted(last.sql, last.type, kind) if kind else last.sql}")
        return Lowered(f"CASE {' '.join(parts)} END", kind)

    def _between(self, node: exp.Expression, scope: Scope) -> Lowered:
        low = self.call(BINARY[exp.GTE], [node.this, node.args["low"]], scope, node)
        high = self.call(BINARY[exp.LTE], [node.this, node.args["high"]], scope, node)
        return Lowered(f"({low.sql} AND {high.sql})", BOOL)

    def _is(self, node: exp.Expression, scope: Scope) -> Lowered:
        right = node.expression
        word = "NULL" if isinstance(right, exp.Null) else str(right).upper()
        return Lowered(f"({self.expression(node.this, scope).sql} IS {word})", BOOL)

    def _in(self, node: exp.Expression, scope: Scope) -> Lowered:
        value = self.expression(node.this, scope)
        unnest, query = node.args.get("unnest"), node.args.get("query")
        if unnest is not None:
            items = self.expression(unnest.expressions[0] if unnest.expressions else unnest.this, scope)
            # Over no rows IN is FALSE, over NULLs unknown: what a subquery gives, list_contains would not.
            return Lowered(f"({value.sql} IN (SELECT unnest({items.sql})))", BOOL)
        if query is not None:
            sql, columns = self.query(query.this if isinstance(query, exp.Subquery) else query, scope)
            kind = supertype([value.type, columns[0].type])
            left = converted(value.sql, value.type, kind) if kind else value.sql
            return Lowered(f"({left} IN ({sql}))", BOOL)
        tests = [self.call(BINARY[exp.EQ], [node.this, item], scope, node).sql for item in node.expressions]
        return Lowered(f"({' OR '.join(tests)})", BOOL)

    def _subquery(self, node: exp.Expression, scope: Scope) -> Lowered:
        sql, columns = self.query(node.this if isinstance(node, exp.Subquery) else node, scope)
        if len(columns) != 1:
            raise InvalidQuery("Scalar subquery cannot have more than one column unless using SELECT AS STRUCT")
        return Lowered(f"({sql})", columns[0].type, columns[0].name)

    def _exists(self, node: exp.Expression, scope: Scope) -> Lowered:
        return Lowered(f"EXISTS ({self.query(node.this, scope)[0]})", BOOL)

    # ---- access

    def _bracket(self, node: exp.Expression, scope: Scope) -> Lowered:
        value, index_node = self.expression(node.this, scope), node.expressions[0]
        if value.type == JSON:
            key = self.expression(index_node, scope)
            return Lowered(f"json_extract({value.sql}, {key.sql})", JSON)
        if value.type is not None and not value.type.is_array:
            raise InvalidQuery(f"Subscript access using [INT64] is not supported on {value.type}", at=place(node))
        index, offset = self.expression(index_node, scope).sql, node.args.get("offset")
        position = f"{index} + 1" if offset != 1 else index
        kind = value.type.element if value.type else None
        found = f"({value.sql})[{position}]"
        if node.args.get("safe"):
            return Lowered(f"CASE WHEN {position} > 0 THEN {found} END", kind)
        message = f"error('Array index ' || CAST({index} AS VARCHAR) || ' is out of bounds')"
        return Lowered(f"CASE WHEN {position} NOT BETWEEN 1 AND len({value.sql}) THEN {message} ELSE {found} END", kind)

    def _dot(self, node: exp.Expression, scope: Scope) -> Lowered:
        names = [node.expression.name]
        root = node.this
        while isinstance(root, exp.Dot):
            names.insert(0, root.expression.name)
            root = root.this
        if isinstance(root, exp.Parameter) and isinstance(root.this, exp.Parameter):
            return self._system_variable([root.this.name, *names], scope)
        return _fields(self.expression(node.this, scope), [node.expression.name], place(node))

    def _system_variable(self, names: list[str], scope: Scope) -> Lowered:
        """@@error.message is one variable, and what follows a variable's name are fields of its value."""
        environment = scope.statement.environment
        for length in range(len(names), 0, -1):
            name = ".".join(names[:length]).lower()
            kind = environment.system_variable(name)
            if kind is not None:
                return _fields(scope.statement.bind("SYSTEM", name, kind), names[length:], None)
        raise InvalidQuery(f"Unrecognized name: @@{'.'.join(names)}")

    def _parameter(self, node: exp.Expression, scope: Scope) -> Lowered:
        if isinstance(node.this, exp.Parameter):
            return self._system_variable([node.this.name], scope)
        name = node.name.lower()
        kind = scope.statement.environment.parameter(name)
        if kind is None:
            raise InvalidQuery(f"Query parameter '{node.name}' not found")
        return scope.statement.bind("PARAMETER", name, kind)

    def _placeholder(self, node: exp.Expression, scope: Scope) -> Lowered:
        # Positions are those of the text; the walk of the tree may come by them in another order.
        position = int(node.meta["position"])
        kind = scope.statement.environment.parameter(position)
        if kind is None:
            raise InvalidQuery(f"Query parameter number {position + 1} is not given")
        return scope.statement.bind("PARAMETER", position, kind)

    def _extract(self, node: exp.Expression, scope: Scope) -> Lowered:
        function = lookup("EXTRACT")
        assert function is not None
        value = node.expression
        zone = [value.args["zone"]] if isinstance(value, exp.AtTimeZone) else []
        part = node.this
        if part.name.upper() in ("DATE", "TIME", "DATETIME"):
            target = Type(part.name.upper())
            inner = self.expression(value.this if zone else value, scope)
            at = self.coerced(zone[0], scope, STRING) if zone else None
            return Lowered(cast(inner.sql, inner.type, target, zone=at), target)
        return self.call(function, [part, value.this if zone else value, *zone], scope, node)

    def _safe(self, node: exp.Expression, scope: Scope) -> Lowered:
        return self.function_call(node.this, scope, safe=True)

    def _window(self, node: exp.Expression, scope: Scope) -> Lowered:
        inner, nulls = node.this, ""
        while isinstance(inner, exp.IgnoreNulls | exp.RespectNulls):
            nulls = "IGNORE" if isinstance(inner, exp.IgnoreNulls) else "RESPECT"
            inner = inner.this
        if nulls:
            wrap = exp.IgnoreNulls if nulls == "IGNORE" else exp.RespectNulls
            inner = inner.copy()
            inner.set("expressions", [wrap(this=inner.expressions[0]), *inner.expressions[1:]])
        return self.function_call(inner, scope, over=f" OVER ({self.window_specification(node, scope)})")

    def window_specification(self, node: exp.Expression, scope: Scope) -> str:
        named = node.args.get("alias")
        parts = []
        if named is not None:
            base = scope.windows.get(named.name.lower())
            if not isinstance(base, exp.Expression):
                raise InvalidQuery(f"Unrecognized window alias {named.name}", at=place(named))
            parts.append(self.window_specification(base, scope))
        if node.args.get("partition_by"):
            keys = ", ".join(self.expression(key, scope).sql for key in node.args["partition_by"])
            parts.append(f"PARTITION BY {keys}")
        if node.args.get("order") is not None:
            parts.append(f"ORDER BY {self.order_by(node.args['order'].expressions, scope)}")
        spec = node.args.get("spec")
        if spec is not None:
            parts.append(self._frame(spec, scope))
        return " ".join(parts)

    def _frame(self, spec: exp.Expression, scope: Scope) -> str:
        def end(key: str) -> str:
            value, side = spec.args.get(key), spec.args.get(f"{key}_side") or ""
            text = value if isinstance(value, str) else self.expression(value, scope).sql if value is not None else ""
            return f"{text} {side}".strip()

        if spec.args.get("end") is None:
            return f"{spec.args['kind']} BETWEEN {end('start')} AND CURRENT ROW"
        return f"{spec.args['kind']} BETWEEN {end('start')} AND {end('end')}"


E_ = Expressions
E_.handlers = {
    exp.Literal: E_._literal,
    exp.RawString: lambda self, node, scope: Lowered(literal(node.name), STRING),
    exp.ByteString: E_._bytes,
    exp.ParseJSON: E_._json,
    exp.Null: lambda self, node, scope: Lowered("NULL"),
    exp.Boolean: lambda self, node, scope: Lowered("TRUE" if node.this else "FALSE", BOOL),
    exp.Paren: lambda self, node, scope: self.expression(node.this, scope),
    exp.Alias: lambda self, node, scope: self.expression(node.this, scope),
    exp.Anonymous: lambda self, node, scope: self.function_call(node, scope),
    exp.SafeFunc: E_._safe,
    exp.Window: E_._window,
    exp.Array: E_._array,
    exp.Struct: E_._struct,
    exp.Tuple: E_._struct,
    exp.Cast: E_._cast,
    exp.TryCast: E_._cast,
    exp.Case: E_._case,
    exp.Between: E_._between,
    exp.Is: E_._is,
    exp.In: E_._in,
    exp.Subquery: E_._subquery,
    exp.Select: E_._subquery,
    exp.Exists: E_._exists,
    exp.Bracket: E_._bracket,
    exp.Dot: E_._dot,
    exp.Parameter: E_._parameter,
    exp.Placeholder: E_._placeholder,
    exp.Extract: E_._extract,
    exp.Interval: E_._interval,
}

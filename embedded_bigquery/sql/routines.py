"""Calls of users' functions: a SQL body is lowered where it is called, its arguments as constants.

Source: "User-defined functions", "User-defined aggregate functions" and "Table functions" of BigQuery's reference.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from embedded_bigquery.errors import InvalidQuery, NotFound, NotSupported
from embedded_bigquery.sql import nodes
from embedded_bigquery.sql.environment import Routine, RoutineArgument
from embedded_bigquery.sql.expressions import LITERALS, Columns
from embedded_bigquery.sql.functions.duckdb_text import is_short, let
from embedded_bigquery.sql.functions.registry import converted, lookup
from embedded_bigquery.sql.functions.signatures import coerces
from embedded_bigquery.sql.javascript import javascript_call
from embedded_bigquery.sql.parser import parse_expression, parse_query
from embedded_bigquery.sql.pivots import Pivots
from embedded_bigquery.sql.scope import Column, Lowered, Scope
from embedded_bigquery.sql.table_functions import TABLE_FUNCTIONS
from embedded_bigquery.types import INT64, Type, quoted

DEPTH = 50
VOLATILE = ("random(", "uuid(")


class Routines(Pivots):
    # ---- scalar and aggregate functions

    def routine_call(self, node: nodes.Call, scope: Scope, over: str) -> Lowered | None:
        path = tuple(part for name in node.path for part in name.split("."))
        routine = self.statement.environment.routine(path)
        if routine is None or routine.kind == "PROCEDURE":
            return None
        if routine.kind == "TABLE_VALUED_FUNCTION":
            raise InvalidQuery(f"Table-valued function is not expected here: {'.'.join(path)}", at=node.at)
        is_aggregate = routine.kind == "AGGREGATE_FUNCTION"
        if over and not is_aggregate:
            raise InvalidQuery(f"Function {'.'.join(path)} does not support an OVER clause", at=node.at)
        if node.safe:
            raise NotSupported(f"SAFE. before a user's function ({'.'.join(path)})", at=node.at)
        if is_aggregate and (node.distinct or node.order or node.limit or node.nulls or node.having):
            raise NotSupported("DISTINCT, ORDER BY or LIMIT in a call of an aggregate UDF", at=node.at)
        inner = scope
        if is_aggregate and not over:
            inner = self.aggregated(path[-1], node, scope)
        given = _positional(node, routine)
        kinds = [argument.type for argument in routine.arguments] + [None] * len(given)
        values = [self._given(argument, kind, inner) for argument, kind in zip(given, kinds, strict=False)]
        return self._inlined(node, routine, values, scope, over)

    def _given(self, node: nodes.Node, kind: Type | None, scope: Scope) -> Lowered:
        """An argument; a literal of an array or struct is one of the declared type where it can be."""
        if kind is not None and isinstance(node, nodes.Array | nodes.Struct):
            with suppress(InvalidQuery):
                return self.typed(node, scope, kind)
        return self.expression(node, scope)

    def _inlined(self, node: nodes.Call, routine: Routine, values: list[Lowered], scope: Scope, over: str) -> Lowered:
        name = routine.path.name
        arguments = _checked(node, routine, values)
        with_depth = len(self.statement.calls)
        if with_depth >= DEPTH or str(routine.path) in self.statement.calls:
            raise InvalidQuery(f"Function {name} calls itself, directly or through others", at=node.at)
        if routine.language != "SQL":
            return _foreign(routine, arguments, node, over)
        holders = [f"udf{with_depth}_{position}_" for position in range(len(arguments))]
        constants = {
            argument.name.lower(): Lowered(
                holder, value.type, argument.name, written=written if isinstance(written, LITERALS) else None
            )
            for argument, holder, value, written in zip(
                routine.arguments, holders, arguments, _positional(node, routine), strict=True
            )
        }
        body_scope = Scope(self.statement, constants=constants, is_body=True, over=over)
        if routine.kind == "AGGREGATE_FUNCTION":
            body_scope.clause = scope.clause
        else:
            body_scope.clause = f"the body of function {name}"
        self.statement.calls += (str(routine.path),)
        try:
            body = self.expression(parse_expression(routine.body), body_scope)
        except NotSupported:
            raise
        except InvalidQuery as error:
            message = f"Invalid function {name}. Analysis error: {error.message}"
            raise InvalidQuery(
                message.split(" Analysis error: Invalid function", 1)[0]
                if "Analysis error: Invalid" in message
                else message,
                at=node.at,
            ) from error
        finally:
            self.statement.calls = self.statement.calls[:-1]
        kind = routine.returns or body.type
        text = body.sql if routine.returns is None else converted(body.sql, body.type, routine.returns)
        for holder, value in zip(holders, arguments, strict=True):
            # The arguments of an aggregate are those of many rows.
            is_aggregate = routine.kind == "AGGREGATE_FUNCTION"
            text = text.replace(holder, value.sql) if is_aggregate else _filled(text, holder, value.sql)
        return Lowered(f"({text})", kind)

    # ---- table functions

    def table_call(self, node: nodes.TableCall, scope: Scope) -> str:
        sql, columns = self.table_rows(node, scope, None)
        return self.derived(sql, columns, node.alias or node.path[-1], scope, node.at)

    def table_rows(self, node: nodes.TableCall, scope: Scope, first: tuple[str, Columns] | None) -> tuple[str, Columns]:
        """The rows of a table function; `first` is its first argument when that is a table already lowered."""
        shown = ".".join(node.path)
        own = TABLE_FUNCTIONS.get(shown.upper())
        if own is not None:
            table, rest = (first, node.arguments) if first else (self._rows_of(node, scope), node.arguments[1:])
            return own(table, rest)
        routine = self.statement.environment.routine(node.path)
        if routine is None or routine.kind != "TABLE_VALUED_FUNCTION":
            if lookup(shown) is not None or len(node.path) == 1 or node.path[0].upper() in ("ML", "AI"):
                raise NotSupported(f"table function {shown}", at=node.at)
            raise NotFound(f"Table-valued function not found: {shown}", at=node.at)
        given: list[nodes.Node | tuple[str, Columns]] = [*([first] if first is not None else []), *node.arguments]
        if len(given) != len(routine.arguments):
            raise InvalidQuery(
                f"No matching signature for {shown}: it takes {len(routine.arguments)} arguments and got {len(given)}",
                at=node.at,
            )
        if str(routine.path) in self.statement.calls:
            raise InvalidQuery(f"Table function {shown} calls itself, directly or through others", at=node.at)
        inner = Scope(self.statement, is_body=True)
        tables = []
        for argument, value in zip(routine.arguments, given, strict=True):
            if argument.is_table:
                tables.append(self._table_argument(argument, value, scope, inner, node))
            else:
                assert isinstance(value, nodes.Node)
                lowered = self.expression(value, scope.variant(clause="a table function's argument", block=None))
                [constant] = _checked(node, routine, [lowered], [argument], [value])
                inner.constants[argument.name.lower()] = constant
        self.statement.calls += (str(routine.path),)
        try:
            sql, columns = self.query(parse_query(routine.body), inner)
        finally:
            self.statement.calls = self.statement.calls[:-1]
        if tables:
            sql = f"WITH {', '.join(tables)} SELECT * FROM ({sql})"
        if not routine.return_fields:
            return sql, columns
        if len(columns) != len(routine.return_fields):
            raise InvalidQuery(
                f"Table function {shown} returns {len(columns)} columns, not those it declares", at=node.at
            )
        pairs = list(zip(columns, routine.return_fields, strict=True))
        listed = ", ".join(f"{converted(f'c{n}', c.type, f.type)} AS c{n}" for n, (c, f) in enumerate(pairs))
        names = ", ".join(f"c{n}" for n in range(len(columns)))
        fields = tuple(Column(field.name, field.type, f"c{n}") for n, (_, field) in enumerate(pairs))
        return f"SELECT {listed} FROM ({sql}) AS _f({names})", fields

    def _rows_of(self, node: nodes.TableCall, scope: Scope) -> tuple[str, Columns]:
        """The table that is the first argument."""
        value = node.arguments[0] if node.arguments else None
        if isinstance(value, nodes.TableArgument):
            star = nodes.Item(value.at, nodes.Star(value.at))
            select = nodes.Select(value.at, [star], source=nodes.Table(value.at, value.path))
            return self.query(nodes.Query(value.at, select), scope)
        if isinstance(value, nodes.Scalar):
            return self.query(value.query, scope)
        raise InvalidQuery(f"The first argument of {'.'.join(node.path)} must be a table", at=node.at)

    def _table_argument(
        self,
        argument: RoutineArgument,
        value: nodes.Node | tuple[str, Columns],
        scope: Scope,
        inner: Scope,
        node: nodes.TableCall,
    ) -> str:
        """The table under the argument's name in the scope of the body; its part of a WITH clause."""
        if isinstance(value, nodes.TableArgument | nodes.Scalar):
            call = nodes.TableCall(node.at, node.path, [value])
            sql, columns = self._rows_of(call, scope)
        elif isinstance(value, tuple):
            sql, columns = value
        else:
            raise InvalidQuery(f"Argument {argument.name} of {'.'.join(node.path)} must be a table", at=node.at)
        names = ", ".join(f"c{n}" for n in range(len(columns)))
        if argument.table_fields:
            known = {column.name.lower(): (n, column) for n, column in enumerate(columns)}
            missing = [field.name for field in argument.table_fields if field.name.lower() not in known]
            if missing:
                raise InvalidQuery(
                    f"Required column {missing[0]} not found in table passed as {argument.name}", at=node.at
                )
            chosen = [(known[field.name.lower()], field) for field in argument.table_fields]
            listed = ", ".join(converted(f"c{n}", column.type, field.type) for (n, column), field in chosen)
            sql = f"SELECT {listed} FROM ({sql}) AS _a({names})"
            columns = tuple(Column(field.name, field.type, f"c{n}") for n, (_, field) in enumerate(chosen))
            names = ", ".join(f"c{n}" for n in range(len(columns)))
        name = self.statement.unique("table")
        inner.tables[argument.name] = (name, columns)
        return f"{quoted(name)}({names}) AS ({sql})"


def _foreign(routine: Routine, values: Sequence[Lowered], node: nodes.Call, over: str) -> Lowered:
    try:
        if routine.language == "JAVASCRIPT":
            return javascript_call(routine, values, over)
        raise NotSupported(f"functions in {routine.language.title()} ({routine.path.name})")
    except InvalidQuery as error:
        error.at = node.at
        raise


def _positional(node: nodes.Call, routine: Routine) -> list[nodes.Node]:
    """The arguments in the order of the function's parameters; raises InvalidQuery."""
    named = {argument.name.lower(): argument.value for argument in node.arguments if isinstance(argument, nodes.Named)}
    found = [argument for argument in node.arguments if not isinstance(argument, nodes.Named)]
    for parameter in routine.arguments[len(found) :]:
        if parameter.name.lower() in named:
            found.append(named.pop(parameter.name.lower()))
    if named:
        raise InvalidQuery(f"Named argument {next(iter(named))} not found in {routine.path.name}", at=node.at)
    return found


def _checked(
    node: nodes.Node,
    routine: Routine,
    values: Sequence[Lowered],
    parameters: Sequence[RoutineArgument] | None = None,
    written: Sequence[nodes.Node] | None = None,
) -> list[Lowered]:
    """The arguments as the types that the function declares; raises InvalidQuery."""
    parameters = routine.arguments if parameters is None else parameters
    if written is None:
        assert isinstance(node, nodes.Call)
        written = _positional(node, routine)
    found = []
    fits = len(values) == len(parameters)
    for parameter, value, argument in zip(parameters, values, written, strict=False):
        kind = parameter.type
        if kind is None:
            found.append(Lowered(value.sql, value.type or INT64))
        elif value.type is None or coerces(value.type, kind, literal=isinstance(argument, LITERALS)) is not None:
            found.append(Lowered(converted(value.sql, value.type, kind), kind))
        else:
            fits = False
    if not fits:
        given = ", ".join(str(value.type or "NULL") for value in values)
        wanted = ", ".join(str(parameter.type or "ANY TYPE") for parameter in parameters)
        name = routine.path.name
        raise InvalidQuery(
            f"No matching signature for function {name} for argument types: {given}. "
            f"Supported signature: {name}({wanted})",
            at=node.at,
        )
    return found


def _filled(body: str, holder: str, value: str) -> str:
    """The body with an argument in place of what held it; a long one is evaluated once, a volatile one always."""
    count = body.count(holder)
    is_volatile = any(word in value for word in VOLATILE)
    if count == 1 or (not is_volatile and (is_short(value) or "SELECT " in body)):
        return body.replace(holder, value)
    return let(value, body, holder)

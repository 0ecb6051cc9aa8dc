"""Random scripts: nested, always ending, and with at most one thing in a statement that can fail.

A script is decoded from bytes, a choice a byte, where 0 stands for what is simplest: drawing each choice from
Hypothesis would take most of the time, and it shrinks bytes well.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import count
from typing import Any, TypeVar

import trees as t
from hypothesis import strategies as st
from script_text import procedure_text, script_text

T = TypeVar("T")
NUMBERS = (0, 1, 2, 3, -1, 7, None, 2**62, -(2**63))
VARIABLES = ("a", "b", "c", "k", "v")  # two of them are columns, too
TABLES = ("d.t0", "d.t1")
MAYBE_TABLES = ("tmp", "d.t2")
MOST_TURNS = 3
MOST_DEEP = 4
Statements = list[t.Statement]


@dataclass(frozen=True)
class Context:
    """What surrounds a statement."""

    variables: tuple[str, ...] = ()
    counters: tuple[str, ...] = ()  # of loops: nobody else sets them
    records: tuple[str, ...] = ()
    labels: tuple[tuple[str, bool], ...] = ()  # and whether it is a loop's
    in_loop: bool = False
    in_handler: bool = False
    guarded: bool = False  # a handler catches its errors
    in_transaction: bool = False
    procedures: tuple[t.Procedure, ...] = ()
    strict: bool = False  # all names exist beforehand
    depth: int = 0


@dataclass(repr=False)
class Example:
    procedures: list[t.Procedure]
    script: Statements
    rows: dict[str, list[tuple[int | None, int | None]]]

    def __post_init__(self) -> None:
        repr(self)  # the model needs the places that writing the text notes

    def __repr__(self) -> str:
        texts = [procedure_text(procedure) for procedure in self.procedures]
        return "\n".join(["", *texts, script_text(self.script), f"-- rows: {self.rows}"])

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        """For Hypothesis, which would print the tree."""
        printer.text(repr(self))


class Maker:
    def __init__(self, choices: bytes) -> None:
        self.choices = iter(choices)
        self.fresh = count()

    def pick(self, options: Sequence[T]) -> T:
        return options[next(self.choices, 0) % len(options)]

    def flip(self, one_in: int = 2) -> bool:
        return self.pick((False,) * (one_in - 1) + (True,))

    def shuffled(self, options: Sequence[T]) -> list[T]:
        left = list(options)
        return [left.pop(self.pick(range(len(left)))) for _ in options]

    # ---- expressions

    def atom(self, context: Context) -> t.Expression:
        names = context.variables + context.counters
        kind = self.pick(("literal", "name", "name", "item", "count"))
        if kind == "item" and context.records:
            return t.Item(self.pick(context.records), self.pick("kv"))
        if kind == "count":
            return t.Aggregate(self.pick(("COUNT", "SUM")), self.table(context), None)
        if kind == "literal" or not names:
            return t.Literal(self.pick(NUMBERS))
        return t.Name(self.pick(names))

    def simple(self, context: Context) -> t.Expression:
        """An atom that needs no table."""
        names = context.variables + context.counters
        return t.Name(self.pick(names)) if names and self.flip() else t.Literal(self.pick(NUMBERS))

    def number(self, context: Context) -> t.Expression:
        """It can fail in one way at most; seldom where nothing catches the error."""
        kind = self.pick(("atom", "atom", "operation", "operation", "choice", "risk"))
        if kind in ("operation", "choice", "risk") and not context.guarded and not self.flip(8):
            kind = "atom"
        if kind == "operation":
            return t.Operation(self.pick(("+", "-", "*", "DIV", "MOD")), self.atom(context), self.atom(context))
        if kind == "choice":
            risk, safe = self.risk(context), self.atom(context)
            then, otherwise = (risk, safe) if self.flip() else (safe, risk)
            return t.Choice(self.condition(context), then, otherwise)
        return self.risk(context) if kind == "risk" else self.atom(context)

    def risk(self, context: Context) -> t.Expression:
        kind = self.pick(("divide", "divide", "cast", "fail", "pick", "unknown", "missing", "function", "function"))
        if kind == "divide":
            return t.Operation("DIV", self.atom(context), self.atom(context))
        if kind == "pick":
            return t.Pick(self.table(context), t.Compare("=", t.Name("k"), self.simple(context)))
        if kind == "function" and not context.strict:
            return t.Apply(self.atom(context))
        if kind == "unknown" and not context.strict:
            return t.Unknown()
        if kind == "missing" and not context.strict:
            return t.Aggregate("COUNT", self.pick(MAYBE_TABLES), None)
        return t.BadCast() if kind == "cast" else t.Fail(self.pick(("oops", "no")))

    def condition(self, context: Context) -> t.Expression:
        kind = self.pick(("compare", "compare", "compare", "null", "not", "both"))
        if kind == "null":
            return t.IsNull(self.atom(context))
        if kind == "not":
            return t.Not(self.condition(context))
        if kind == "both":
            return t.Both(self.pick(("AND", "OR")), self.comparison(context), self.comparison(context))
        return self.comparison(context)

    def comparison(self, context: Context) -> t.Expression:
        return t.Compare(self.pick(("=", "!=", "<", "<=", ">", ">=")), self.atom(context), self.atom(context))

    def test(self, context: Context) -> t.Expression:
        """A condition that may fail."""
        return t.Compare(">", self.risk(context), t.Literal(0)) if self.flip(6) else self.condition(context)

    def of_rows(self, context: Context) -> t.Expression:
        """A condition on a row: no subqueries of other tables in it."""
        left = t.Name(self.pick("kv"))
        return t.Compare(self.pick(("=", "!=", "<", ">")), left, self.simple(context))

    # ---- tables

    def table(self, context: Context) -> str:
        if context.strict or not self.flip(3 if context.guarded else 12):
            return self.pick(TABLES)
        return self.pick(MAYBE_TABLES)

    def write(self, context: Context) -> t.Statement:
        kind = self.pick(("insert", "insert", "from", "update", "update", "delete", "truncate", "merge"))
        table = self.table(context)
        if kind == "insert":
            last = (self.simple(context), self.number(context))
            others = [(self.simple(context), self.simple(context)) for _ in range(self.pick((0, 0, 1)))]
            return t.Insert(table, [*others, last])
        if kind == "from":
            value = self.pick((t.Name("v"), t.Operation("DIV", t.Literal(6), t.Name("v"))))
            return t.InsertFrom(table, self.table(context), value, self.pick((None, self.of_rows(context))))
        if kind == "update":
            left: t.Expression = t.Name("v") if self.flip() else self.simple(context)
            words = ("+", "-", "*", "DIV", "MOD")
            value = t.Operation(self.pick(words), left, self.pick((t.Name("k"), self.simple(context))))
            return t.Update(table, value, self.of_rows(context))
        if kind == "delete":
            return t.Delete(table, self.of_rows(context))
        return t.Truncate(table) if kind == "truncate" else t.Merge(table, self.table(context), self.flip(3))

    def define(self, context: Context) -> t.Statement:
        if self.flip(3):
            number = self.pick((1, 10))
            return t.DropFunction() if self.flip(4) else t.CreateFunction(self.flip(), number)
        table = self.pick(("tmp", "tmp", "tmp", "d.t2"))
        if self.flip(3):
            return t.DropTable(table, table == "d.t2" and self.flip())
        source = self.pick((None, self.pick(TABLES), self.pick(MAYBE_TABLES)))
        return t.CreateTable(table, self.pick(("", "OR REPLACE", "IF NOT EXISTS")), source)

    # ---- statements

    def several(self, context: Context, least: int = 1, most: int = 3) -> Statements:
        found: Statements = []
        for _ in range(self.pick(range(least, most + 1))):
            found += self.some(context)
        return found

    def some(self, context: Context) -> Statements:
        kinds = ["select", "rows"] + ["assign"] * 3 + ["write"] * 5 + ["immediate"]
        if context.guarded or self.flip(12):
            kinds += ["control", "raise", "assert"]
        if self.flip(8):
            kinds += ["return"] * 2
        if not context.strict and (context.guarded or self.flip(4)):
            kinds.append("define")
        if context.depth < MOST_DEEP:
            kinds += ["if", "case", "loop", "for", "block"] + ["guarded"] * 5
        if context.depth < MOST_DEEP and (not context.in_transaction or self.flip(20)):
            kinds += ["transaction"] * 3
        if context.in_transaction:
            kinds += ["guarded"] * 5
        if context.in_loop or context.labels:
            kinds += ["leave", "leave"]
        if context.in_handler:
            kinds += ["error", "error", "error", "reraise"]
        if context.procedures:
            kinds += ["call"] * 3
        made: t.Statement | Statements = getattr(self, self.pick(kinds) + "_")(context)
        return made if isinstance(made, list) else [made]

    def transaction_(self, context: Context) -> Statements:
        inner = replace(context, depth=context.depth + 1, in_transaction=True)
        ends = self.pick(("COMMIT TRANSACTION", "ROLLBACK TRANSACTION", "COMMIT", "ROLLBACK") * 3 + (None,))
        end: Statements = [] if ends is None else [t.Control(ends)]
        return [t.Control(self.pick(("BEGIN TRANSACTION", "BEGIN"))), *self.several(inner), *end]

    def assign_(self, context: Context) -> t.Statement:
        if not context.variables:
            return self.select_(context)
        if len(context.variables) > 1 and self.flip(4):
            names = self.shuffled(context.variables)[:2]
            return t.Assign(names, [self.number(context), self.atom(context)])
        return t.Assign([self.pick(context.variables)], [self.number(context)])

    def write_(self, context: Context) -> Statements:
        found: Statements = [self.write(context)]
        if context.variables and self.flip(4):
            found.append(t.Assign([self.pick(context.variables)], [t.System("row_count")]))
        return found

    def define_(self, context: Context) -> t.Statement:
        return self.define(context)

    def select_(self, context: Context) -> t.Statement:
        return t.Select([self.number(context), *map(t.Name, context.variables)])

    def rows_(self, context: Context) -> t.Statement:
        return t.Rows(self.table(context))

    def control_(self, context: Context) -> t.Statement:
        options = ("BEGIN TRANSACTION", "BEGIN TRANSACTION", "BEGIN", "COMMIT TRANSACTION", "COMMIT", "ROLLBACK")
        return t.Control(self.pick((*options, "ROLLBACK TRANSACTION")))

    def raise_(self, context: Context) -> t.Statement:
        return t.Raise(t.Text(self.pick(("first", "second", "third"))))

    def reraise_(self, context: Context) -> t.Statement:
        return t.Raise(None)

    def error_(self, context: Context) -> t.Statement:
        return t.Select([t.System("error.message"), t.System("error.statement_text"), t.Stack()])

    def assert_(self, context: Context) -> t.Statement:
        return t.Assert(self.test(context) if self.flip() else t.Compare("=", *[self.simple(context)] * 2), "not so")

    def return_(self, context: Context) -> t.Statement:
        return t.Return()

    def leave_(self, context: Context) -> t.Statement:
        leaves = self.flip()
        labels = [label for label, is_loop in context.labels if is_loop or leaves]
        if not labels and not context.in_loop:
            return t.Leave("BREAK", context.labels[0][0])
        label = self.pick(labels) if labels and (not context.in_loop or self.flip()) else None
        return t.Leave(self.pick(("BREAK", "LEAVE") if leaves else ("CONTINUE", "ITERATE")), label)

    def immediate_(self, context: Context) -> t.Statement:
        named = self.flip()
        using = [(self.simple(context), f"p{n}" if named else None) for n in range(2)]
        first, second = (t.Parameter(n, name) for n, (_, name) in enumerate(using))
        kind = self.pick(("select", "insert", "update", "rows", "define", "null", "hidden", "control"))
        into = self.shuffled(context.variables)[:2] if len(context.variables) > 1 else ()
        if kind == "select":
            word = self.pick(("+", "-", "*", "DIV"))
            return t.Immediate(t.Select([t.Operation(word, first, second)]), into[: self.pick((0, 1))], using)
        if kind == "insert":
            return t.Immediate(t.Insert(self.table(context), [(first, second)]), (), using)
        if kind == "update":
            value, condition = t.Operation("+", t.Name("v"), first), t.Compare("=", t.Name("k"), second)
            return t.Immediate(t.Update(self.table(context), value, condition), (), using)
        if kind == "rows":
            return t.Immediate(t.Rows(self.table(context), self.pick((None, 1))), into, ())
        if kind == "control" and context.guarded:
            return t.Immediate(t.Control("BEGIN TRANSACTION"), (), ())
        if kind == "hidden" and context.guarded and context.variables:
            return t.Immediate(t.Select([t.Hidden(self.pick(context.variables))]), (), ())
        inner = self.define(context) if kind == "define" and not context.strict else None
        return t.Immediate(inner, (), ()) if inner or context.guarded else self.select_(context)

    def call_(self, context: Context) -> t.Statement:
        procedure = self.pick(context.procedures)
        if context.guarded and not context.strict and self.flip(8):
            return t.Call("nobody", ())
        outputs = self.shuffled(context.variables)
        arguments: list[t.Expression] = []
        for mode, _ in procedure.arguments:
            if mode != "IN" and not outputs:
                return self.select_(context)
            again = context.guarded and len(outputs) > 1 and self.flip(12)
            variable = "" if mode == "IN" else outputs[-1] if again else outputs.pop()
            arguments.append(t.Name(variable) if variable else self.number(context))
        return t.Call(procedure.name, arguments)

    # ---- statements with others inside

    def if_(self, context: Context) -> t.Statement:
        inner = replace(context, depth=context.depth + 1)
        branches = [t.Branch(self.test(context), self.several(inner, 0, 2)) for _ in range(self.pick((1, 1, 2)))]
        return t.If(branches, self.pick((None, self.several(inner, 0, 2))))

    def case_(self, context: Context) -> t.Statement:
        inner = replace(context, depth=context.depth + 1)
        subject = self.pick((None, self.atom(context)))
        turns = range(self.pick((1, 2, 2)))
        if subject is None:
            branches = [t.Branch(self.test(context), self.several(inner, 0, 2)) for _ in turns]
        else:
            branches = [t.Branch(self.atom(context), self.several(inner, 0, 2)) for _ in turns]
        return t.Case(subject, branches, self.pick((None, self.several(inner, 0, 2))))

    def loop_(self, context: Context) -> t.Statement:
        counter = f"i{next(self.fresh)}"
        label, inner = self.labelled(replace(context, counters=(*context.counters, counter)), is_loop=True)
        step = t.Assign([counter], [t.Operation("+", t.Name(counter), t.Literal(1))])
        most = t.Literal(self.pick(range(1, MOST_TURNS + 1)))
        goes_on = t.Compare("<", t.Name(counter), most)
        word = self.pick(("WHILE", "LOOP", "REPEAT"))
        body: Statements = [step]
        condition: t.Expression | None = None
        if word == "WHILE":
            condition = self.pick((goes_on, t.Both("AND", goes_on, self.condition(context))))
        else:
            body.append(t.If([t.Branch(t.Not(goes_on), [t.Leave("BREAK", None)])], None))
            condition = self.test(inner) if word == "REPEAT" else None
        loop = t.Loop(word, condition, body + self.several(inner), label)
        return t.Block([t.Declare([counter], True, t.Literal(0)), loop], None, None)

    def for_(self, context: Context) -> t.Statement:
        record = f"r{next(self.fresh)}"
        label, inner = self.labelled(replace(context, records=(*context.records, record)), is_loop=True)
        source = self.pick((self.table(context), [self.pick((1, 2, 3, 0)) for _ in range(self.pick((1, 2, 3)))]))
        return t.For(record, source, self.several(inner), label)

    def labelled(self, context: Context, *, is_loop: bool) -> tuple[str | None, Context]:
        inner = replace(context, depth=context.depth + 1, in_loop=context.in_loop or is_loop)
        if not self.flip(3):
            return None, inner
        label = f"l{context.depth}"
        return label, replace(inner, labels=(*context.labels, (label, is_loop)))

    def block_(self, context: Context, *, guarded: bool = False) -> t.Statement:
        label, inner = self.labelled(context, is_loop=False)
        declarations, inside = self.declarations(replace(inner, guarded=inner.guarded or guarded))
        handler = self.several(replace(inner, in_handler=True)) if guarded else None
        body = declarations + self.several(inside)
        if guarded and self.flip():
            body += self.failing(inside)
        return t.Block(body, handler, label)

    def failing(self, context: Context) -> Statements:
        """What probably fails."""
        kind = self.pick(("select", "assign", "insert", "key", "update", "raise", "write", "nested"))
        if kind == "insert":
            return [t.Insert(self.pick(TABLES), [(self.simple(context), self.risk(context))])]
        if kind == "key":
            return [t.Insert("d.t1", [(t.Literal(1), t.Literal(1)), (t.Literal(None), t.Literal(2))])]
        if kind == "update":
            return [t.Update(self.pick(TABLES), t.Operation("DIV", t.Literal(1), t.Name("v")), self.of_rows(context))]
        if kind == "raise":
            return [self.raise_(context)]
        if kind == "write":
            return [self.write(context), t.Assert(t.IsNull(t.Literal(1)), "never")]
        if kind == "nested":
            return [t.Control("BEGIN TRANSACTION"), self.write(context), t.Select([self.risk(context)])]
        if kind == "assign" and context.variables:
            return [t.Assign([self.pick(context.variables)], [self.risk(context)])]
        return [t.Select([self.risk(context)])]

    def guarded_(self, context: Context) -> t.Statement:
        return self.block_(context, guarded=True)

    def declarations(self, context: Context) -> tuple[Statements, Context]:
        found: Statements = []
        for _ in range(self.pick((0, 0, 1, 2))):
            free = [name for name in VARIABLES if name not in context.variables]
            if not free:
                break
            names = tuple(self.shuffled(free)[: self.pick((1, 1, 2))])
            default = self.pick((None, self.number(context)))
            found.append(t.Declare(names, default is None or self.flip(), default))
            context = replace(context, variables=(*context.variables, *names))
        return found, context

    # ---- the whole

    def procedure(self, name: str, known: tuple[t.Procedure, ...]) -> t.Procedure:
        arguments = [(self.pick(("IN", "IN", "OUT", "INOUT")), f"x{n}") for n in range(self.pick((0, 1, 2)))]
        strict = self.flip(3)
        outputs = tuple(argument for mode, argument in arguments if mode != "IN")
        inputs = tuple(argument for mode, argument in arguments if mode == "IN")
        context = Context(outputs, counters=inputs, procedures=known, guarded=self.flip(), strict=strict, depth=1)
        declarations, inside = self.declarations(context)
        return t.Procedure(name, arguments, declarations + self.several(inside), strict)

    def recursive(self) -> t.Procedure:
        """It calls itself until its first argument is 0."""
        context = Context(variables=("x1",), counters=("x0",), depth=2)
        less = t.Operation("-", t.Name("x0"), t.Literal(1))
        again = t.Call("again", [less, t.Name("x1")])
        body = [*self.several(context, 0, 2), again, *self.several(context, 0, 2)]
        enough = t.Compare("<=", t.Name("x0"), t.Literal(0))
        deep = t.Compare(">", t.Name("x0"), t.Literal(3))
        ends = t.Branch(t.Both("OR", enough, deep), [t.Return()])
        null = t.Branch(t.IsNull(t.Name("x0")), [t.Return()])
        return t.Procedure("again", [("IN", "x0"), ("INOUT", "x1")], [t.If([ends, null], None), *body], False)

    def example(self) -> Example:
        procedures: tuple[t.Procedure, ...] = ()
        for n in range(self.pick((0, 0, 1, 2))):
            procedures += (self.procedure(f"p{n}", procedures),)
        if self.flip(4):
            procedures += (self.recursive(),)
        declarations, context = self.declarations(Context(procedures=procedures))
        script = list(declarations)
        if self.flip():
            script.append(t.CreateTable("tmp", "", self.pick((*TABLES, None))))
        script += self.several(context, 1, 8)
        script += [t.Rows("d.t0"), t.Select([t.Literal(0), *map(t.Name, context.variables)])]
        keys = {"d.t0": (0, 1, 2, 3, None), "d.t1": (0, 1, 2)}
        rows = {
            table: [(self.pick(found), self.pick((0, 1, 2, 3, None))) for _ in range(self.pick(range(4)))]
            for table, found in keys.items()
        }
        return Example(list(procedures), script, rows)


def examples() -> st.SearchStrategy[Example]:
    return st.binary(min_size=400, max_size=1400).map(lambda choices: Maker(choices).example())

"""CREATE, DROP and ALTER statements: text -> nodes.

Source: "Data definition language (DDL) statements in GoogleSQL".
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from embedded_bigquery.errors import InvalidQuery, NotSupported
from embedded_bigquery.sql.columns import ColumnParser, Constant
from embedded_bigquery.sql.definitions import (
    Action,
    AddColumn,
    Alter,
    AlterColumn,
    Create,
    CreatePolicy,
    Definition,
    Drop,
    DropColumn,
    DropKey,
    DropPolicy,
    Place,
    RenameColumn,
    RenameTable,
    SetOptions,
    Undrop,
)
from embedded_bigquery.sql.environment import RoutineArgument
from embedded_bigquery.sql.tokens import Tokens
from embedded_bigquery.types import Field, Type

# What a definition of something that this engine does not have begins with.
UNSUPPORTED = (
    "APPROX", "ASSIGNMENT", "BI_CAPACITY", "CAPACITY", "CONNECTION", "EXTERNAL", "INDEX", "MODEL",
    "ORGANIZATION", "PRIVILEGE", "PROJECT", "PROPERTY", "RESERVATION", "SEARCH", "UNIQUE", "VECTOR",
)  # fmt: skip
SECOND = ("TABLE", "INDEX", "SCHEMA", "FUNCTION", "GROUP", "CONSTRAINT", "ASSIGNMENT", "VIEW")
ROUTINES = ("FUNCTION", "TABLE FUNCTION", "AGGREGATE FUNCTION", "PROCEDURE")


def parse_definition(text: str, constant: Constant) -> Definition:
    """The DDL statement that the text is; raises InvalidQuery with its place in the text."""
    return _Parser(Tokens(text), constant).statement()


class _Parser(ColumnParser):
    def statement(self) -> Definition:
        if self.tokens.take("CREATE"):
            made: Definition = self._create()
        elif self.tokens.take("DROP"):
            made = self._drop()
        elif self.tokens.take("UNDROP"):
            self.tokens.expect("SCHEMA")
            if_not_exists = self.if_not_exists()
            made = Undrop(self.path(), if_not_exists)
        else:
            self.tokens.expect("ALTER")
            made = self._alter()
        self.tokens.take(";")
        self.end()
        return made

    def _drop(self) -> Drop | DropPolicy:
        if self.tokens.take("ALL", "ROW", "ACCESS", "POLICIES"):
            self.tokens.expect("ON")
            return DropPolicy(None, self.path())
        if self.tokens.take("ROW", "ACCESS", "POLICY"):
            if_exists = self.if_exists()
            name = self.tokens.identifier()
            self.tokens.expect("ON")
            return DropPolicy(name, self.path(), if_exists)
        kind = self._kind()
        if_exists = self.if_exists()
        path = self.path()
        if self.tokens.take("ON"):
            raise NotSupported(f"DROP {kind} ON")
        cascade = self.tokens.take("CASCADE")
        self.tokens.take("RESTRICT")
        return Drop(kind, path, if_exists, cascade)

    def _kind(self) -> str:
        for words in (
            ("TABLE", "FUNCTION"),
            ("AGGREGATE", "FUNCTION"),
            ("MATERIALIZED", "VIEW"),
            ("SNAPSHOT", "TABLE"),
            ("TABLE",),
            ("VIEW",),
            ("SCHEMA",),
            ("FUNCTION",),
            ("PROCEDURE",),
        ):
            if self.tokens.take(*words):
                return " ".join(words)
        if self.tokens.word() not in UNSUPPORTED:
            raise self.tokens.unexpected()
        second = f" {self.tokens.word(1)}" if self.tokens.word(1) in SECOND else ""
        raise NotSupported(f"definition of {self.tokens.word()}{second}", at=self.tokens.place(self.tokens.start))

    # ---- CREATE

    def _create(self) -> Create | CreatePolicy:
        replaces = self.tokens.take("OR")
        if replaces:
            self.tokens.expect("REPLACE")
        if self.tokens.take("ROW", "ACCESS", "POLICY"):
            return self._policy(replaces)
        temporary = self.tokens.take("TEMP") or self.tokens.take("TEMPORARY")
        at = self.tokens.place(self.tokens.start)
        kind = self._kind()
        if replaces and kind in ("SCHEMA", "SNAPSHOT TABLE"):
            self._note(InvalidQuery(f"CREATE OR REPLACE {kind} is not supported", at=at))
        if_not_exists = self.if_not_exists()
        if replaces and if_not_exists:
            raise InvalidQuery(f"CREATE {kind} cannot have both OR REPLACE and IF NOT EXISTS")
        made = Create(kind, self.path(), replaces, temporary, if_not_exists)
        if kind in ROUTINES:
            return self._routine(made)
        if kind == "SCHEMA":
            self._default_collation()
            return replace(made, options=self.options())
        if kind in ("VIEW", "MATERIALIZED VIEW"):
            return self._view(made)
        return self._table(made)

    def _policy(self, replaces: bool) -> CreatePolicy:
        if_not_exists = self.if_not_exists()
        name = self.tokens.identifier()
        self.tokens.expect("ON")
        path = self.path()
        grantees: tuple[str, ...] = ()
        if self.tokens.take("GRANT", "TO"):
            self.tokens.expect("(")
            grantees = tuple(self.tokens.comma_list(self.tokens.string))
            self.tokens.expect(")")
        self.tokens.expect("FILTER", "USING", "(")
        condition = self.expression(")")
        self.tokens.expect(")")
        return CreatePolicy(name, path, grantees, condition, replaces, if_not_exists)

    def _table(self, made: Create) -> Create:
        for word in ("LIKE", "COPY", "CLONE"):
            if self.tokens.take(word):
                made = replace(made, source=(word, self.path()))
        if self.tokens.word() == "(":
            columns, keys = self.columns()
            made = replace(made, columns=columns, keys=keys)
        if self.tokens.take("FOR", "SYSTEM_TIME"):
            raise NotSupported("FOR SYSTEM_TIME AS OF", at=self.tokens.place(self.tokens.start))
        self._default_collation()
        made = self._layout(made)
        if self.tokens.take("AS"):
            made = replace(made, query=self.query())
        return made

    def _default_collation(self) -> None:
        if self.tokens.take("DEFAULT", "COLLATE"):
            self.collation()

    def _view(self, made: Create) -> Create:
        if self.tokens.take("("):
            columns = []
            while not self.tokens.take(")"):
                name = self.tokens.identifier()
                columns.append(Field(name, Type("STRING"), description=self.column_options().get("description")))
                self.tokens.take(",")
            made = replace(made, columns=tuple(columns))
        made = self._layout(made)
        self.tokens.expect("AS")
        if self.tokens.take("REPLICA"):
            raise NotSupported("materialized view replica")
        return replace(made, query=self.query())

    def _layout(self, made: Create) -> Create:
        if self.tokens.take("PARTITION"):
            self.tokens.expect("BY")
            made = replace(made, partition=self.expression("CLUSTER", "OPTIONS", "AS"))
        if self.tokens.take("CLUSTER"):
            self.tokens.expect("BY")
            made = replace(made, cluster=self.names())
        return replace(made, options=self.options())

    # ---- routines

    def _routine(self, made: Create) -> Create:
        self.tokens.expect("(")
        arguments = []
        while not self.tokens.take(")"):
            arguments.append(self._argument(made.kind == "PROCEDURE"))
            if not self.tokens.take(",") and self.tokens.word() != ")":
                raise self.tokens.unexpected('"," or ")"')
        made = replace(made, arguments=tuple(arguments))
        if self.tokens.take("WITH", "CONNECTION") or self.tokens.take("EXTERNAL", "SECURITY"):
            raise NotSupported("routine with a connection")
        if self.tokens.take("RETURNS"):
            made = self._returns(made)
        if self.tokens.take("NOT", "DETERMINISTIC"):
            made = replace(made, determinism="NOT_DETERMINISTIC")
        elif self.tokens.take("DETERMINISTIC"):
            made = replace(made, determinism="DETERMINISTIC")
        if self.tokens.take("LANGUAGE"):
            made = replace(made, language=self.tokens.identifier().upper())
        options = self.options()
        if made.kind == "PROCEDURE":
            if made.language != "SQL":
                raise NotSupported(f"procedure in {made.language}", at=self.tokens.place(self.tokens.start))
            if self.tokens.word() != "BEGIN":
                raise self.tokens.unexpected("keyword BEGIN")
            start = self.tokens.start
            self.tokens.back_to(len(self.tokens.tokens) - 1)
            text = self.tokens.text[start:].rstrip().rstrip(";").rstrip()
            return replace(made, options=options, body=text, body_start=start)
        self.tokens.expect("AS")
        made = replace(made, **self._body(made))
        return replace(made, options=options or self.options())

    def _body(self, made: Create) -> dict[str, Any]:
        """What stands behind AS, and where in the text."""
        is_expression = made.language == "SQL" and made.kind != "TABLE FUNCTION"
        if is_expression:
            self.tokens.expect("(")
        start = self.tokens.start
        if is_expression:
            body = self.expression(")")
            self.tokens.expect(")")
        else:
            body = self.tokens.string() if made.language != "SQL" else self.query("OPTIONS")
        return {"body": body, "body_start": start}

    def _returns(self, made: Create) -> Create:
        if self.tokens.take("TABLE"):
            self.tokens.expect("<")
            columns = []
            while True:
                name = self.tokens.identifier()
                columns.append(self.column_type(name))
                if not self.tokens.take(","):
                    break
            self.tokens.expect(">")
            return replace(made, columns=tuple(columns))
        return replace(made, returns=self.column_type("").type)

    def _argument(self, procedure: bool) -> RoutineArgument:
        mode = "IN"
        for word in ("IN", "OUT", "INOUT"):
            if procedure and self.tokens.word() == word and self.tokens.word(1) not in (",", ")"):
                self.tokens.expect(word)
                mode = word
                break
        name = self.tokens.identifier()
        if self.tokens.take("ANY", "TYPE"):
            made = RoutineArgument(name, None, mode)
        elif self.tokens.take("ANY", "TABLE"):
            made = RoutineArgument(name, None, mode, is_table=True)
        elif self.tokens.word() == "TABLE" and self.tokens.word(1) == "<":
            self.tokens.expect("TABLE", "<")
            columns = []
            while True:
                column = self.tokens.identifier()
                columns.append(self.column_type(column))
                if not self.tokens.take(","):
                    break
            self.tokens.expect(">")
            made = RoutineArgument(name, None, mode, is_table=True, table_fields=tuple(columns))
        else:
            made = RoutineArgument(name, self.column_type("").type, mode)
        return replace(made, is_aggregate=False) if self.tokens.take("NOT", "AGGREGATE") else made

    # ---- ALTER

    def _alter(self) -> Alter:
        kind = self._kind()
        if_exists = self.if_exists()
        path = self.path()
        actions = [self._action()]
        while self.tokens.take(","):
            actions.append(self._action())
        return Alter(kind, path, if_exists, tuple(actions))

    def _action(self) -> Action:
        tokens = self.tokens
        if tokens.word() == "ADD" and tokens.word(1) in ("PRIMARY", "FOREIGN", "CONSTRAINT"):
            tokens.expect("ADD")
            return self.key(())
        if tokens.take("ADD", "COLUMN"):
            if_not_exists = self.if_not_exists()
            at, name = self._name()
            return AddColumn(self.column_type(name), if_not_exists, at)
        if tokens.take("DROP", "COLUMN"):
            if_exists = self.if_exists()
            at, name = self._name()
            return DropColumn(name, if_exists, at)
        if tokens.take("DROP", "PRIMARY", "KEY"):
            return DropKey(None, self.if_exists())
        if tokens.take("DROP", "CONSTRAINT"):
            if_exists = self.if_exists()
            return DropKey(tokens.identifier(), if_exists)
        if tokens.take("RENAME", "TO"):
            return RenameTable(self.path()[-1])
        if tokens.take("RENAME", "COLUMN"):
            if_exists = self.if_exists()
            at, old = self._name()
            tokens.expect("TO")
            return RenameColumn(old, tokens.identifier(), if_exists, at)
        if tokens.take("SET"):
            if tokens.word() == "DEFAULT":
                self._default_collation()
                return SetOptions({})
            if tokens.word() != "OPTIONS":
                raise NotSupported(f"ALTER … SET {tokens.word()}", at=tokens.place(tokens.start))
            return SetOptions(self.options())
        tokens.expect("ALTER", "COLUMN")
        if_exists = self.if_exists()
        at, name = self._name()
        change, value = self._change(name)
        return AlterColumn(name, change, value, if_exists, at)

    def _name(self) -> tuple[Place, str]:
        at = self.tokens.place(self.tokens.start)
        return at, self.tokens.identifier()

    def _change(self, name: str) -> tuple[str, Any]:
        tokens = self.tokens
        if tokens.take("SET", "DATA", "TYPE"):
            return "TYPE", self.column_type(name)
        if tokens.take("DROP", "NOT", "NULL"):
            return "NULLABLE", None
        if tokens.take("DROP", "DEFAULT"):
            return "DEFAULT", None
        if tokens.take("SET", "DEFAULT"):
            return "DEFAULT", self.expression(",")
        tokens.expect("SET")
        return "OPTIONS", self.column_options()

"""The text of a script: a statement a line. Each statement notes where it stands and what its own text is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import trees as t


class Writer:
    """Writes statements, one a line, and notes their places."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    @property
    def text(self) -> str:
        return "\n".join(self.lines) + "\n"

    def all(self, statements: Iterable[t.Statement], depth: int) -> None:
        for statement in statements:
            self.one(statement, depth)

    def place(self, depth: int) -> tuple[int, int]:
        return len(self.lines) + 1, 2 * depth + 1

    def line(self, text: str, depth: int) -> None:
        self.lines.append("  " * depth + text)

    def one(self, node: t.Statement, depth: int) -> None:
        node.at = self.place(depth)
        label = getattr(node, "label", None)
        start = f"{label}: " if label else ""
        match node:
            case t.If():
                self.branches(node.branches, node.otherwise, depth, ("IF", "ELSEIF"), "END IF;", depth)
            case t.Case():
                self.line(f"CASE {node.subject}" if node.subject is not None else "CASE", depth)
                self.branches(node.branches, node.otherwise, depth + 1, ("WHEN", "WHEN"), "END CASE;", depth)
            case t.Loop(word="WHILE"):
                self.line(f"{start}WHILE {node.condition} DO", depth)
                self.all(node.body, depth + 1)
                self.line("END WHILE;", depth)
            case t.Loop(word="LOOP"):
                self.line(f"{start}LOOP", depth)
                self.all(node.body, depth + 1)
                self.line("END LOOP;", depth)
            case t.Loop():
                self.line(f"{start}REPEAT", depth)
                self.all(node.body, depth + 1)
                node.condition_at = self.place(depth)
                self.line(f"UNTIL {node.condition} END REPEAT;", depth)
            case t.For():
                self.line(f"{start}FOR {node.record} IN ({source(node.source)}) DO", depth)
                self.all(node.body, depth + 1)
                self.line("END FOR;", depth)
            case t.Block():
                self.line(f"{start}BEGIN", depth)
                self.all(node.body, depth + 1)
                if node.handler is not None:
                    self.line("EXCEPTION WHEN ERROR THEN", depth)
                    self.all(node.handler, depth + 1)
                self.line("END;", depth)
            case _:
                node.text = leaf(node)
                self.line(f"{node.text};", depth)

    def branches(
        self,
        branches: Sequence[t.Branch],
        otherwise: Sequence[t.Statement] | None,
        depth: int,
        words: tuple[str, str],
        end: str,
        outer: int,
    ) -> None:
        for position, branch in enumerate(branches):
            branch.at = self.place(depth)
            self.line(f"{words[position > 0]} {branch.condition} THEN", depth)
            self.all(branch.body, depth + 1)
        if otherwise is not None:
            self.line("ELSE", depth)
            self.all(otherwise, depth + 1)
        self.line(end, outer)


def source(found: str | Sequence[int]) -> str:
    if isinstance(found, str):
        return f"SELECT k, v FROM {found} ORDER BY k, v"
    return f"SELECT n AS k, DIV(6, n) AS v FROM UNNEST({list(found)}) AS n ORDER BY n"


def leaf(node: t.Statement) -> str:
    match node:
        case t.Declare():
            kind = " INT64" if node.typed else ""
            default = f" DEFAULT {node.default}" if node.default is not None else ""
            return f"DECLARE {', '.join(node.names)}{kind}{default}"
        case t.Assign(names=[name], values=[value]):
            return f"SET {name} = {value}"
        case t.Assign():
            return f"SET ({', '.join(node.names)}) = ({', '.join(map(str, node.values))})"
        case t.Leave():
            return f"{node.word} {node.label}" if node.label else node.word
        case t.Return():
            return "RETURN"
        case t.Raise():
            return "RAISE" if node.message is None else f"RAISE USING MESSAGE = {node.message}"
        case t.Call():
            return f"CALL d.{node.procedure}({', '.join(map(str, node.arguments))})"
        case t.Immediate():
            return immediate(node)
        case t.Control():
            return node.words
        case t.Assert():
            return f"ASSERT {node.condition} AS '{node.message}'"
        case t.Select():
            return f"SELECT {', '.join(f'{value} AS c{n}' for n, value in enumerate(node.values))}"
        case t.Rows():
            return f"SELECT k, v FROM {node.table} ORDER BY k, v" + (f" LIMIT {node.limit}" if node.limit else "")
    return written(node)


def written(node: t.Statement) -> str:
    match node:
        case t.Insert():
            return f"INSERT INTO {node.table} (k, v) VALUES {', '.join(f'({k}, {v})' for k, v in node.rows)}"
        case t.InsertFrom():
            return f"INSERT INTO {node.table} (k, v) SELECT k, {node.value} FROM {node.source}{t.where(node.condition)}"
        case t.Update():
            return f"UPDATE {node.table} SET v = {node.value}{t.where(node.condition)}"
        case t.Delete():
            return f"DELETE FROM {node.table}{t.where(node.condition)}"
        case t.Truncate():
            return f"TRUNCATE TABLE {node.table}"
        case t.Merge():
            return (
                f"MERGE {node.table} AS x USING {node.source} AS y ON x.k = y.k "
                "WHEN MATCHED THEN UPDATE SET v = y.v WHEN NOT MATCHED THEN INSERT (k, v) VALUES (y.k, y.v)"
                + (" WHEN NOT MATCHED BY SOURCE THEN DELETE" if node.deletes else "")
            )
        case t.CreateTable():
            replace = " OR REPLACE" if node.mode == "OR REPLACE" else ""
            kind = "TABLE" if "." in node.table else "TEMP TABLE"
            exists = " IF NOT EXISTS" if node.mode == "IF NOT EXISTS" else ""
            what = f"AS SELECT k, v FROM {node.source}" if node.source else "(k INT64, v INT64)"
            return f"CREATE{replace} {kind}{exists} {node.table} {what}"
        case t.CreateFunction():
            replace = " OR REPLACE" if node.replaces else ""
            return f"CREATE{replace} TEMP FUNCTION plus(x INT64) AS (x + {node.number})"
        case t.DropFunction():
            return "DROP FUNCTION plus"
        case t.DropTable():
            return f"DROP TABLE {'IF EXISTS ' if node.if_exists else ''}{node.table}"
    raise TypeError(node)


def immediate(node: t.Immediate) -> str:
    text = "CAST(NULL AS STRING)" if node.inner is None else f'"{leaf(node.inner)}"'
    into = f" INTO {', '.join(node.into)}" if node.into else ""
    using = ", ".join(f"{value} AS {name}" if name else str(value) for value, name in node.using)
    return f"EXECUTE IMMEDIATE {text}{into}{f' USING {using}' if using else ''}"


def script_text(statements: Sequence[t.Statement]) -> str:
    writer = Writer()
    writer.all(statements, 0)
    return writer.text


def procedure_text(procedure: t.Procedure) -> str:
    """CREATE PROCEDURE; the places of its statements are those in its body."""
    arguments = ", ".join(f"{mode} {name} INT64" for mode, name in procedure.arguments)
    writer = Writer()
    writer.line("BEGIN", 0)
    writer.all(procedure.body, 1)
    writer.line("END", 0)
    options = "" if procedure.strict else " OPTIONS (strict_mode = FALSE)"
    return f"CREATE OR REPLACE PROCEDURE d.{procedure.name}({arguments}){options}\n{writer.text}"

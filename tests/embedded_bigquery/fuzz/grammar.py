"""Random GoogleSQL queries, each from its seed."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from tests.embedded_bigquery.fuzz.vocabulary import AGGREGATES, COLUMNS, CONSTANTS, EXPRESSIONS, GROUPABLE, WINDOWS


@dataclass
class Grammar:
    """One query of a seed; `columns` are those in sight, by type."""

    random: random.Random
    columns: dict[str, list[str]] = field(default_factory=dict)

    def query(self) -> str:
        others = (self.grouped, self.windowed, self.joined, self.sets, self.exploded, self.piped)
        shape = self.random.choice((self.projection,) * 4 + others)
        return f"WITH t AS ({self.rows()}), u AS ({self.rows()})\n{shape()}"

    # ---- queries

    def rows(self) -> str:
        """A table of one to five rows; `id` numbers them."""
        rows = []
        for number in range(self.random.randrange(1, 6)):
            values = [str(number), *(self.constant(kind) for name, kind in COLUMNS.items() if name != "id")]
            named = zip(values, COLUMNS.items(), strict=True)
            rows.append("SELECT " + ", ".join(f"{_typed(value, kind)} AS {name}" for value, (name, kind) in named))
        return " UNION ALL ".join(rows)

    def sees(self, *tables: str) -> None:
        self.columns = {}
        for table in tables:
            prefix = f"{table}." if len(tables) > 1 else ""
            for name, kind in COLUMNS.items():
                self.columns.setdefault(kind, []).append(prefix + name)

    def items(self, count: int | None = None) -> str:
        kinds = [self.random.choice(list(EXPRESSIONS)) for _ in range(count or self.random.randrange(1, 4))]
        return ", ".join(f"{self.expression(kind)} AS c{place}" for place, kind in enumerate(kinds))

    def projection(self) -> str:
        self.sees("t")
        where = f" WHERE {self.expression('BOOL')}" if self.random.random() < 0.4 else ""
        return f"SELECT {self.items()} FROM t{where}"

    def grouped(self) -> str:
        self.sees("t")
        keys = [self.expression(self.random.choice(GROUPABLE), 1) for _ in range(self.random.randrange(3))]
        named = [f"{key} AS k{place}" for place, key in enumerate(keys)]
        measures = [self.filled(self.pick(AGGREGATES), 1) for _ in range(self.random.randrange(1, 4))]
        shown = [*named, *(f"{measure} AS m{place}" for place, measure in enumerate(measures))]
        where = f" WHERE {self.expression('BOOL', 1)}" if self.random.random() < 0.3 else ""
        having = ""
        if keys and self.random.random() < 0.3:
            having = f" HAVING {self.filled(self.random.choice(('COUNT(*) > 1', 'LOGICAL_OR({BOOL})')), 1)}"
        places = ", ".join(f"k{place}" for place in range(len(keys)))
        style = self.random.choice(("GROUP BY {}", "GROUP BY {}", "GROUP BY ROLLUP({})", "GROUP BY CUBE({})"))
        return f"SELECT {', '.join(shown)} FROM t{where}{' ' + style.format(places) if keys else ''}{having}"

    def windowed(self) -> str:
        self.sees("t")
        shown = [f"{self.filled(self.pick(WINDOWS), 1)} AS w{place}" for place in range(self.random.randrange(1, 3))]
        qualify = " QUALIFY ROW_NUMBER() OVER (PARTITION BY s ORDER BY id) = 1" if self.random.random() < 0.3 else ""
        return f"SELECT id, {', '.join(shown)} FROM t{' WHERE TRUE' if qualify else ''}{qualify}"

    def joined(self) -> str:
        self.sees("t", "u")
        kind = self.random.choice(("JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN", "CROSS JOIN"))
        condition = self.random.choice(("t.id = u.id", "t.s = u.s", "t.i > u.i", "t.id = u.id AND t.b"))
        if kind in ("FULL JOIN", "RIGHT JOIN"):
            condition = "t.id = u.id"
        on = "" if kind == "CROSS JOIN" else f" ON {condition}"
        where = f" WHERE {self.expression('BOOL', 1)}" if self.random.random() < 0.3 else ""
        return f"SELECT {self.items()} FROM t {kind} u{on}{where}"

    def sets(self) -> str:
        self.sees("t")
        kinds = [self.random.choice(GROUPABLE) for _ in range(2)]
        sides = [
            ", ".join(f"{self.expression(kind, 1)} AS c{place}" for place, kind in enumerate(kinds)) for _ in range(2)
        ]
        word = self.random.choice(("UNION ALL", "UNION DISTINCT", "INTERSECT DISTINCT", "EXCEPT DISTINCT"))
        return f"SELECT {sides[0]} FROM t {word} SELECT {sides[1]} FROM u"

    def exploded(self) -> str:
        self.sees("t")
        self.columns.setdefault("INT64", []).extend(["v", "o"])
        kind = self.random.choice((",", "CROSS JOIN", "LEFT JOIN"))
        return f"SELECT {self.items()} FROM t {kind} UNNEST(ai) AS v WITH OFFSET AS o"

    def piped(self) -> str:
        self.sees("t")
        kind, word = self.random.choice((("BOOL", "WHERE {}"), ("INT64", "EXTEND {} AS e")))
        step = word.format(self.expression(kind, 1))
        ends = ("SELECT *, {items}", "AGGREGATE {measure} AS m, COUNT(*) AS n GROUP BY s", "DROP ai, sa")
        measure = self.filled(self.pick(AGGREGATES), 1)
        end = self.random.choice(ends).format(items=self.items(), measure=measure)
        return f"FROM t |> {step} |> {end}"

    # ---- expressions

    def pick(self, table: dict[str, tuple[str, ...]]) -> str:
        return self.random.choice(table[self.random.choice(list(table))])

    def constant(self, kind: str) -> str:
        return self.random.choice(CONSTANTS[kind])

    def expression(self, kind: str, depth: int = 2) -> str:
        if depth <= 0 or self.random.random() < 0.15:
            if self.columns.get(kind) and self.random.random() < 0.7:
                return self.random.choice(self.columns[kind])
            return self.constant(kind)
        return self.filled(self.random.choice(EXPRESSIONS[kind]), depth)

    def filled(self, template: str, depth: int) -> str:
        text = template.replace("{{", "\0").replace("}}", "\1")
        while "{" in text:
            before, _, rest = text.partition("{")
            hole, _, after = rest.partition("}")
            if hole == "PARTITION":
                value = self.random.choice(("", "PARTITION BY b", "PARTITION BY s"))
            else:
                value = self.expression(hole, depth - 1).replace("{", "\0").replace("}", "\1")
            text = f"{before}{value}{after}"
        return text.replace("\0", "{").replace("\1", "}")


def query_of(seed: int) -> str:
    return Grammar(random.Random(seed)).query()


def _typed(value: str, kind: str) -> str:
    return value if kind.startswith("ARRAY") else f"CAST({value} AS {kind})"

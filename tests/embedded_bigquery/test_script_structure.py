"""script/parser.py against Google's own parser: the same statements, nesting and places, and the same refusals."""

from __future__ import annotations

import random
import re
import sys
from pathlib import Path

import pytest
from zetasql.api import Parser
from zetasql.core.exceptions import ServerError

from embedded_bigquery.errors import InvalidQuery
from embedded_bigquery.sql.tokens import Tokens

sys.path.insert(0, str(Path(__file__).parent))  # pytest's importlib mode puts no test folder there

from structure import googles, ours

ROOT = Path(__file__).parents[2]
CASE = re.compile(r"-- case: (?P<name>.+)\n(?P<sql>(?:.*\n)*?)-- (?:rows|error): ")
FILES = [*(ROOT / "sql").rglob("*.sql"), *(Path(__file__).parent / "cases").glob("*.sql")]
# Every statement once, to be broken at random.
WHOLE = """
DECLARE a, b INT64 DEFAULT 1 + 2;
DECLARE c STRUCT<x ARRAY<STRING(5)>, y NUMERIC(10, 2)>;
SET (a, b) = (2, CASE WHEN a > 1 THEN 3 ELSE 4 END);
SET @@time_zone = 'Asia/Tokyo';
outer_block: BEGIN
  DECLARE text STRING DEFAULT CONCAT('SELECT', @p, ?);
  first: LOOP
    IF a = 1 THEN BREAK; ELSEIF b = 2 THEN CONTINUE first; ELSE LEAVE first; END IF;
  END LOOP first;
  WHILE a < 10 DO SET a = a + 1; ITERATE; END WHILE;
  REPEAT INSERT INTO d.t (x) VALUES (1), (DEFAULT); UNTIL (SELECT TRUE) END REPEAT;
  FOR r IN (SELECT x, y FROM d.t ORDER BY x) DO SELECT r.x; END FOR;
  CASE a WHEN 1 THEN SELECT 1; WHEN 2 THEN SELECT 2; ELSE SELECT 3; END CASE;
  CASE WHEN a = 1 THEN RETURN; END CASE;
  EXECUTE IMMEDIATE text INTO a, b USING 1 AS x, 'y' AS z;
  BEGIN TRANSACTION; COMMIT; BEGIN; ROLLBACK TRANSACTION;
  MERGE d.t USING d.u ON t.x = u.x WHEN NOT MATCHED THEN INSERT ROW WHEN MATCHED THEN DELETE;
EXCEPTION WHEN ERROR THEN
  RAISE USING MESSAGE = @@error.message; RAISE;
  CALL `p.d`.proc(a, (SELECT 1), [1, 2]);
  ASSERT a > 0 AS 'none';
  UPDATE d.t SET x = DEFAULT, y = 2 WHERE TRUE;
END outer_block;
CREATE OR REPLACE PROCEDURE d.p(IN a INT64, OUT b STRING) OPTIONS (strict_mode = FALSE) BEGIN SET b = 'x'; END;
CREATE TEMP TABLE t (a INT64 NOT NULL, b STRING DEFAULT 'x', PRIMARY KEY (a) NOT ENFORCED);
CREATE TABLE IF NOT EXISTS d.t PARTITION BY DATE(a) CLUSTER BY b OPTIONS (description = 'x') AS SELECT 1 AS a;
CREATE VIEW d.v AS SELECT * FROM d.t; CREATE TEMP FUNCTION f(x INT64) RETURNS INT64 AS (x + 1);
ALTER TABLE d.t ADD COLUMN IF NOT EXISTS c DATE; DROP TABLE IF EXISTS d.t;
"""
WORDS = re.findall(
    r"\S+", "; , ( ) BEGIN END IF THEN ELSE LOOP WHILE DO FOR IN UNTIL CASE WHEN SET DECLARE AS BREAK RAISE x 1 ="
)
PLACE = re.compile(r"\[(?:at )?(\d+:\d+)\]")


def scripts() -> list[str]:
    found = []
    for file in sorted(FILES):
        text = file.read_text()
        found += [match["sql"] for match in CASE.finditer(text)] or [text]
    return found


def test_every_script_has_the_structure_that_googles_parser_gives_it(googlesql: Parser) -> None:
    texts = [WHOLE, *scripts()]
    assert len(texts) > 100
    for text in texts:
        assert ours(text) == googles(text, googlesql), text


def broken(choose: random.Random) -> str:
    """WHOLE with one token gone, said twice, or replaced."""
    tokens = Tokens(WHOLE).tokens
    token = choose.choice(tokens[:-1])
    other = choose.choice(["", f"{WHOLE[token.start : token.end]} ", *(f"{choose.choice(WORDS)} " for _ in range(3))])
    rest = token.end if choose.random() < 0.7 else token.start
    return f"{WHOLE[: token.start]} {other} {WHOLE[rest:]}"


def test_what_googles_parser_refuses_is_refused_and_nearly_always_at_its_place(googlesql: Parser) -> None:
    choose = random.Random(7)
    refused = same_place = 0
    for _ in range(150):
        text = broken(choose)
        try:
            googles(text, googlesql)
        except ServerError as error:
            refused += 1
            with pytest.raises(InvalidQuery) as caught:
                ours(text)
            places = [PLACE.search(str(one)) for one in (error, caught.value)]
            same_place += all(places) and len({place[1] for place in places if place}) == 1
    assert refused > 80
    assert same_place > 0.9 * refused

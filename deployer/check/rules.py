"""The table of what a check looks for. `python -m deployer.check.rules docs/rules` writes its pages."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Rule:
    """`by_file`: a file decides it by itself, so sqlfluff shows it too. `wrong` and `right` are statements of a body,
    or a whole file where they begin with a comment."""

    code: str
    name: str
    reason: str
    wrong: str
    right: str
    by_file: bool = False


RULES = (
    Rule(
        "GS00",
        "cannot be read",
        "GoogleSQL's own parser refuses the text, so BigQuery will.",
        "DELETE staging.departure WHER TRUE;",
        "DELETE staging.departure WHERE TRUE;",
        by_file=True,
    ),
    Rule(
        "GS01",
        "unknown name",
        "No column, field or variable of that name is there: the statement fails when it first runs.",
        "UPDATE sid.agent SET nam = 'x' WHERE code = 'AA';",
        "UPDATE sid.agent SET name = 'x' WHERE code = 'AA';",
    ),
    Rule(
        "GS02",
        "unknown table",
        "No table or view of that name, in that case, is in `sql/`.",
        "SELECT code FROM sid.agents;",
        "SELECT code FROM sid.agent;",
    ),
    Rule(
        "GS03",
        "unknown routine",
        "BigQuery has no such function, and `sql/` no such routine.",
        "SELECT LENGHT('x');",
        "SELECT LENGTH('x');",
    ),
    Rule(
        "GS04",
        "wrong type",
        "The value does not fit where it goes, and BigQuery converts it to nothing that does.",
        "DECLARE seats INT64 DEFAULT 'many';\nSELECT seats;",
        "DECLARE seats INT64 DEFAULT 3;\nSELECT seats;",
    ),
    Rule(
        "GS05",
        "refused",
        "GoogleSQL's analyzer refuses the statement for another reason, which it gives.",
        "SELECT code, COUNT(*) AS rows_ FROM sid.agent;",
        "SELECT code, COUNT(*) AS rows_ FROM sid.agent GROUP BY code;",
    ),
    Rule(
        "SC01",
        "undeclared target",
        "SET, INTO and their like give a value to variables alone, and this is none.",
        "DECLARE seats INT64;\nSET seat = 3;\nSELECT seats;",
        "DECLARE seats INT64;\nSET seats = 3;\nSELECT seats;",
        by_file=True,
    ),
    Rule(
        "SC02",
        "OUT argument",
        "What a procedure sets must be a variable of the caller; BigQuery says so only when the CALL runs.",
        "CALL ops.count_agents(3);",
        "DECLARE counted INT64;\nCALL ops.count_agents(counted);\nSELECT counted;",
    ),
    Rule(
        "SC03",
        "RAISE outside of a handler",
        "RAISE without a message repeats the error that is being handled, and none is.",
        "RAISE;",
        "RAISE USING MESSAGE = 'nothing is staged';",
        by_file=True,
    ),
    Rule(
        "SC04",
        "misplaced",
        "A declaration, a label, a BREAK or a CONTINUE stands where the procedural language has no meaning for it.",
        "SELECT 1;\nDECLARE seats INT64;\nSELECT seats;",
        "DECLARE seats INT64;\nSELECT seats;",
        by_file=True,
    ),
    Rule(
        "SC05",
        "unused variable",
        "What nobody reads is a left-over, or the wrong name was read.",
        "DECLARE seats INT64;\nSET seats = 3;",
        "DECLARE seats INT64;\nSET seats = 3;\nSELECT seats;",
        by_file=True,
    ),
    Rule(
        "SC06",
        "unused parameter",
        "Callers pass a value that changes nothing, or wait for an OUT that stays NULL.",
        "-- sid.example\n-- A procedure.\n--\n-- reads:  -\n-- writes: -\n-- calls:  -\n"
        "CREATE OR REPLACE PROCEDURE sid.example(IN seats INT64)\nBEGIN\n  SELECT 1;\nEND;\n",
        "-- sid.example\n-- A procedure.\n--\n-- reads:  -\n-- writes: -\n-- calls:  -\n"
        "CREATE OR REPLACE PROCEDURE sid.example(IN seats INT64)\nBEGIN\n  SELECT seats;\nEND;\n",
        by_file=True,
    ),
    Rule(
        "SC07",
        "hidden variable",
        "On a clash of names BigQuery silently takes the column: `WHERE code = code` is true for every row.",
        "DECLARE code STRING DEFAULT 'AA';\nDELETE FROM sid.agent WHERE code = code;",
        "DECLARE in_code STRING DEFAULT 'AA';\nDELETE FROM sid.agent WHERE code = in_code;",
    ),
    Rule(
        "SC08",
        "unreachable",
        "No path leads to the statement: it stands after a RETURN, a RAISE or a loop that never ends.",
        "RETURN;\nSELECT 1;",
        "SELECT 1;\nRETURN;",
        by_file=True,
    ),
    Rule(
        "SC09",
        "transaction left open",
        "A transaction that some path leaves open is rolled back with all that was written in it; two do not nest.",
        "BEGIN TRANSACTION;\nDELETE FROM sid.agent WHERE TRUE;",
        "BEGIN TRANSACTION;\nDELETE FROM sid.agent WHERE TRUE;\nCOMMIT TRANSACTION;",
        by_file=True,
    ),
    Rule(
        "SC10",
        "definition in a transaction",
        "BigQuery refuses to create, change or drop permanent objects in a transaction.",
        "BEGIN TRANSACTION;\nDROP TABLE sid.agent;\nCOMMIT TRANSACTION;",
        "DROP TABLE sid.agent;",
        by_file=True,
    ),
    Rule(
        "SC11",
        "temporary table too early",
        "The statement reads a temporary table before any CREATE of it, or after its DROP.",
        "SELECT code FROM chosen;\nCREATE TEMP TABLE chosen AS SELECT code FROM sid.agent;",
        "CREATE TEMP TABLE chosen AS SELECT code FROM sid.agent;\nSELECT code FROM chosen;",
    ),
    Rule(
        "SC12",
        "dynamic SQL",
        "EXECUTE IMMEDIATE runs one statement of SQL, no procedural one, and INTO takes the columns of one row.",
        "EXECUTE IMMEDIATE 'CALL ops.count_agents(n)';",
        "EXECUTE IMMEDIATE 'SELECT COUNT(*) FROM sid.agent';",
    ),
    Rule(
        "HR01",
        "path and CREATE agree",
        "The path is the identity: who looks for an object finds its file, and a deploy never makes another one.",
        "-- sid.other\n-- A table.\nCREATE TABLE IF NOT EXISTS sid.other (code STRING);\n",
        "-- sid.example\n-- A procedure.\n--\n-- reads:  -\n-- writes: -\n-- calls:  -\n"
        "CREATE OR REPLACE PROCEDURE sid.example()\nBEGIN\n  SELECT 1;\nEND;\n",
        by_file=True,
    ),
    Rule(
        "HR02",
        "header and body agree",
        "What a procedure reads, writes and calls is known without reading it, as long as the header cannot rot.",
        "-- sid.example\n-- A procedure.\n--\n-- reads:  sid.agent\n-- writes: -\n-- calls:  -\n"
        "CREATE OR REPLACE PROCEDURE sid.example()\nBEGIN\n  SELECT 1;\nEND;\n",
        "-- sid.example\n-- A procedure.\n--\n-- reads:  -\n-- writes: -\n-- calls:  -\n"
        "CREATE OR REPLACE PROCEDURE sid.example()\nBEGIN\n  SELECT 1;\nEND;\n",
        by_file=True,
    ),
    Rule(
        "HR03",
        "changes say which partitions",
        "DML without a constant filter of the partitioning column scans, and is billed for, the whole table.",
        "DELETE FROM staging.departure WHERE code = 'AA';",
        "DELETE FROM staging.departure WHERE flight_date = DATE '2013-01-01' AND code = 'AA';",
    ),
    Rule(
        "HR04",
        "no * into a table",
        "A column that is added upstream changes or breaks what is written here; a temporary table is read by name.",
        "INSERT INTO sid.agent (code, name) SELECT * FROM staging.agent;",
        "INSERT INTO sid.agent (code, name) SELECT code, name FROM staging.agent;",
        by_file=True,
    ),
    Rule(
        "HR05",
        "INSERT names its columns",
        "Without names values go by position, and a new column of the table shifts them.",
        "INSERT INTO sid.agent VALUES ('AA', 'American');",
        "INSERT INTO sid.agent (code, name) VALUES ('AA', 'American');",
        by_file=True,
    ),
    Rule(
        "HR06",
        "a publish is one transaction",
        "Readers see the old rows of the window or the new ones, never a hole or half of each.",
        "-- sid.agent_publish\nCREATE OR REPLACE PROCEDURE sid.agent_publish()\nBEGIN\n"
        "  DELETE FROM sid.agent WHERE TRUE;\n  INSERT INTO sid.agent (code) SELECT code FROM staging.agent;\nEND;\n",
        "-- sid.agent_publish\nCREATE OR REPLACE PROCEDURE sid.agent_publish()\nBEGIN\n  BEGIN TRANSACTION;\n"
        "  DELETE FROM sid.agent WHERE TRUE;\n  INSERT INTO sid.agent (code) SELECT code FROM staging.agent;\n"
        "  COMMIT TRANSACTION;\nEND;\n",
        by_file=True,
    ),
    Rule(
        "HR07",
        "dynamic SQL binds its values",
        "A value that becomes text of SQL can become SQL: only names in backticks may vary, values go by USING.",
        "DECLARE code STRING DEFAULT SESSION_USER();\n"
        "EXECUTE IMMEDIATE CONCAT('SELECT 1 FROM sid.agent WHERE code = \"', code, '\"');",
        "DECLARE code STRING DEFAULT SESSION_USER();\n"
        "EXECUTE IMMEDIATE 'SELECT 1 FROM sid.agent WHERE code = ?' USING code;",
        by_file=True,
    ),
    Rule(
        "HR08",
        "no project ids",
        "The config says which project an environment is; SQL that names one works in no other.",
        "SELECT code FROM `my-project`.sid.agent;",
        "SELECT code FROM sid.agent;",
        by_file=True,
    ),
    Rule(
        "HR09",
        "a transfer is three procedures",
        "`pipeline` calls _cleanse, _publish and _cleanup of a transfer, all with one signature.",
        "-- sid.agent_cleanse\nCREATE OR REPLACE PROCEDURE sid.agent_cleanse(IN window_start DATE)\n"
        "BEGIN\n  SELECT 1;\nEND;\n",
        "-- sid.agent_cleanse\nCREATE OR REPLACE PROCEDURE sid.agent_cleanse(\n"
        "  IN window_start DATE, IN window_end DATE, IN write_mode STRING, IN run_id STRING, OUT rows_affected INT64\n"
        ")\nBEGIN\n  SET rows_affected = 0;\nEND;\n",
        by_file=True,
    ),
    Rule(
        "HR10",
        "every procedure has tests",
        "A procedure that no `*.test.sql` calls is first tried in production.",
        "-- no `sid/procedures/example.test.sql` that has `CALL sid.example()`",
        "-- sid/procedures/example.test.sql\n-- test: gives a row\nCALL sid.example();",
    ),
)
BY_CODE = {rule.code: rule for rule in RULES}


def page(rule: Rule) -> str:
    """The rule as Markdown."""
    places = "`deployer check` and, as `House_{0}`, sqlfluff show it" if rule.by_file else "`deployer check` shows it"
    return (
        f"# {rule.code}: {rule.name}\n\n{rule.reason}\n\nWrong:\n\n```sql\n{rule.wrong.rstrip()}\n```\n\n"
        f"Right:\n\n```sql\n{rule.right.rstrip()}\n```\n\n{places.format(rule.code)}; "
        f"`-- noqa: {rule.code}` at the end of a line allows it there.\n"
    )


def index() -> str:
    """All rules as a table of Markdown."""
    head = "# What `deployer check` looks for\n\n| code | what | why |\n|---|---|---|\n"
    return head + "".join(f"| [{rule.code}]({rule.code}.md) | {rule.name} | {rule.reason} |\n" for rule in RULES)


def write_pages(folder: Path) -> None:
    """The pages of all rules."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "README.md").write_text(index())
    for rule in RULES:
        (folder / f"{rule.code}.md").write_text(page(rule))


if __name__ == "__main__":
    write_pages(Path(sys.argv[1]))

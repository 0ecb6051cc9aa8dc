"""A process that is killed leaves the warehouse as it was before or after what it was doing, never between.

For a longer run: KILLS=300 python -m pytest -n 0 tests/embedded_bigquery/test_kill.py
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import defaultdict
from pathlib import Path
from subprocess import PIPE
from typing import IO

sys.path.insert(0, str(Path(__file__).parent))  # pytest's importlib mode puts no test folder there

from killed import differences, opened, problems

KILLS = int(os.environ.get("KILLS", 30))
LONGEST = 0.2  # seconds of work before the kill


def words(output: IO[str], until: str) -> list[list[str]]:
    """What is said up to that word."""
    said: list[list[str]] = []
    for line in output:
        said.append(line.split(" ", 2))
        if said[-1][0].strip() == until:
            break
    return said


def test_killed_process_leaves_all_of_a_change_or_none(tmp_path: Path) -> None:
    path, choose = tmp_path / "warehouse.duckdb", random.Random(5)
    done: defaultdict[str, set[str]] = defaultdict(set)
    command = [sys.executable, str(Path(__file__).parent / "killed.py"), str(path)]
    with subprocess.Popen(command, stdin=PIPE, stdout=PIPE, text=True, bufsize=1) as process:
        assert process.stdin is not None and process.stdout is not None
        for turn in range(KILLS):
            print(turn, file=process.stdin)
            said = words(process.stdout, "pid")
            if turn % 5:  # the others are killed while they open the file, too
                said += words(process.stdout, "ready")
            time.sleep(choose.random() * LONGEST)
            os.kill(int(said[0][1]), signal.SIGKILL)
            said += words(process.stdout, "over")
            assert [line for line in said if line[0] == "wrong"] == []
            for kind, id in (line[1:] for line in said if line[0] == "done"):
                done[kind].add(id.strip())
    engine, client = opened(path)
    assert list(problems(engine)) == []
    assert list(differences(client)) == []

    def found(sql: str) -> set[str]:
        return {row[0] for row in client.query_and_wait(sql)}

    tables = {table.table_id for table in client.list_tables("d")}
    assert done["transaction"] <= found("SELECT DISTINCT id FROM d.left_side")
    assert done["stream"] <= found("SELECT id FROM d.streamed")
    assert {f"made_{id}" for id in done["table"]} | {f"api_{id}" for id in done["api"]} <= tables
    assert {f"gone_{id}" for id in done["drop"]} & tables == set()
    assert {f"c_{id}" for id in done["column"]} <= {field.name for field in client.get_table("local.d.grown").schema}
    if done["replace"]:
        assert found("SELECT COUNT(*) FROM d.replaced GROUP BY id") == {500}
    procedures = [routine.routine_id for routine in client.list_routines("d") if routine.type_ == "PROCEDURE"]
    assert {f"call_{id}" for id in done["procedure"]} <= set(procedures)
    for name in procedures:
        assert found(f"DECLARE found STRING; CALL d.{name}(found); SELECT found") == {name.removeprefix("call_")}
    client.close()

"""Deployments of a thousand procedures, measured: whole processes, calls of the API, and other tools beside them.

`python -m benchmarks.deployments` prints a table. The other tools stand in a venv of their own, which is made at the
first use; `--without-others` leaves them out.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import click

from benchmarks import others
from benchmarks.measuring import Measure, table
from benchmarks.tree import write_tree
from embedded_bigquery.api import Api
from embedded_bigquery.api.call import Answer
from embedded_bigquery.engine import Engine
from embedded_bigquery.server import Server

ROOT = Path(__file__).parents[1]
LATENCY = 0.3  # seconds that a call takes to BigQuery
JOBS = 8
SMALL, LARGE = 100, 1_000


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one process: seconds of the clock, seconds of all processors, peak memory in MB."""

    wall: float
    cpu: float
    megabytes: float

    def __str__(self) -> str:
        return f"{self.cpu:.2f} s of processors, {self.megabytes:.0f} MB"


def measured(words: list[str], folder: Path) -> Cost:
    """Raises ClickException with what the process said when it failed."""
    # As an installed package starts: with bytecode, and without the pandas that the sample's source brings along.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment["PYTHONPATH"] = os.pathsep.join([str(ROOT / "tests" / "runtime"), str(ROOT)])
    with tempfile.TemporaryFile("w+") as said:
        start = time.perf_counter()
        process = subprocess.Popen(
            words, stdin=subprocess.DEVNULL, stdout=said, stderr=said, cwd=folder, env=environment
        )
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            said.seek(0)
            raise click.ClickException(f"{' '.join(words)}:\n{said.read()[-3000:]}")
    return Cost(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def best(times: int, words: list[str], folder: Path) -> Cost:
    """The shortest of several, which other work on the machine disturbs least."""
    return min((measured(words, folder) for _ in range(times)), key=lambda cost: cost.wall)


def deployer(command: str, *words: str) -> list[str]:
    return [sys.executable, "-m", "deployer.cli", command, "config.yaml", *words]


class Distant:
    """An API as far away as BigQuery, that counts what it is asked."""

    def __init__(self, api: Api, latency: float) -> None:
        self.api, self.latency, self.calls = api, latency, 0
        self._lock = threading.Lock()

    def handle(self, method: str, path: str, query: dict[str, str], content: bytes, headers: dict[str, str]) -> Answer:
        with self._lock:
            self.calls += 1
        time.sleep(self.latency)
        return self.api.handle(method, path, query, content, headers)

    def close(self) -> None:
        self.api.close()


@contextmanager
def distant(config: Path, latency: float) -> Iterator[Distant]:
    """Serves an empty warehouse in memory, which the config then names."""
    with Server(port=0) as server:
        api = Distant(Api(Engine(None, "sid-bench", "EU")), latency)
        server.api = api  # type: ignore[assignment]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        lines = config.read_text().splitlines()
        place = f"warehouse: {{engine: bigquery, project: sid-bench, endpoint: '{server.address}'}}"
        config.write_text("\n".join(place if line.startswith("warehouse:") else line for line in lines))
        try:
            yield api
        finally:
            server.shutdown()
            thread.join()
    api.close()


def no_op(folder: Path, times: int) -> Iterator[Measure]:
    """A deployed environment, on the embedded engine."""
    costs: dict[tuple[str, int], Cost] = {}
    for procedures in (SMALL, LARGE):
        place = folder / str(procedures)
        place.mkdir()
        write_tree(place, procedures)
        measured(deployer("sync"), place)
        for command in ("sync", "plan"):
            costs[command, procedures] = best(times, deployer(command), place)
    for command in ("sync", "plan"):
        small, large = costs[command, SMALL], costs[command, LARGE]
        name = f"deployer {command}, nothing to do, {LARGE:,} procedures"
        yield Measure(name, large.wall, "s", 1.5, str(large))
        yield Measure(f"{name}: memory", large.megabytes, "MB", 250)
        slope = (large.wall - small.wall) / (LARGE - SMALL) * 1_000
        yield Measure(f"deployer {command}, growth an object", slope, "ms", 1, f"{SMALL}: {small.wall:.2f} s")


def calls(folder: Path, procedures: int) -> Iterator[Measure]:
    folder.mkdir()
    config = write_tree(folder, procedures)
    datasets = len(list((folder / "sql").iterdir()))
    with distant(config, 0) as api:
        measured(deployer("sync"), folder)

        def counted() -> int:
            api.calls = 0
            measured(deployer("sync"), folder)
            return api.calls

        yield Measure(f"calls, nothing to do, {datasets} datasets", counted(), "calls", 2 + datasets)
        files = sorted((folder / "sql" / "sid" / "procedures").glob("c*.sql"))
        for changes in (1, 10, 100):
            for file in files[:changes]:
                file.write_text(file.read_text().replace("\nBEGIN\n", f"\nBEGIN\n  -- {changes}\n"))
            limit = 2 + datasets + 2 * changes
            yield Measure(f"calls, {changes} changed of {procedures:,}", counted(), "calls", limit)


def first_sync(folder: Path, procedures: int) -> Iterator[Measure]:
    folder.mkdir()
    config = write_tree(folder, procedures)
    with distant(config, LATENCY) as api:
        cost = measured(deployer("sync", "--jobs", str(JOBS)), folder)
    ideal = api.calls / JOBS * LATENCY
    name = f"first sync of {procedures:,} procedures, {LATENCY * 1_000:.0f} ms a call, {JOBS} at once, beside the ideal"
    yield Measure(name, cost.wall / ideal, "x", 1.2, f"{cost.wall:.1f} s for {api.calls:,} calls")


@click.command()
@click.option("--procedures", default=LARGE, show_default=True, help="Of the trees for calls and the first sync.")
@click.option("--times", default=5, show_default=True, help="Of what is repeated, the shortest counts.")
@click.option("--without-others", is_flag=True, help="Leave dbt and SQLMesh out.")
@click.option("--others-venv", type=click.Path(path_type=Path), default=others.VENV, show_default=True)
def main(procedures: int, times: int, without_others: bool, others_venv: Path) -> None:
    """Measure deployments and print a table; exit status 1 when a target is missed."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        measures = [*no_op(place, times), *calls(place / "calls", procedures), *first_sync(place / "first", procedures)]
        if not without_others:
            tools = others.installed(others_venv)
            for name, words, at in others.no_ops(tools, place / "others", LARGE, measured):
                cost = best(max(1, times // 2), words, at)
                measures.append(Measure(name, cost.wall, "s", None, str(cost)))
    click.echo(table(measures))
    sys.exit(not all(each.is_met for each in measures))


if __name__ == "__main__":
    main()

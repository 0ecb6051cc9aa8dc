"""`python -m benchmarks.chaos --seed N`: makes the attacks and prints what they did, as Markdown."""

from __future__ import annotations

import json
import time
from collections import Counter
from pathlib import Path
from tempfile import gettempdir
from typing import Any

import click

from benchmarks.chaos.attacks import ATTACKS, Laboratory, Lost


@click.command()
@click.option("--seed", type=int, default=1, show_default=True, help="The first trial's; each other one's is one more.")
@click.option(
    "--only", type=click.Choice(list(ATTACKS)), multiple=True, help="Make this attack alone; may be repeated."
)
@click.option("--trials", type=click.IntRange(min=1), help="So many of each attack, instead of their own numbers.")
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where warehouses and results are kept: trials that are recorded there are not made again.",
)
def main(seed: int, only: tuple[str, ...], trials: int | None, folder: Path | None) -> None:
    """Attacks the runs of `pipeline`; exit status 1 when anything was lost."""
    folder = folder or Path(gettempdir()) / f"sid-chaos-{seed}"
    folder.mkdir(parents=True, exist_ok=True)
    lab = Laboratory(folder.resolve())
    results = folder / "results.jsonl"
    done = read(results)
    for name in only or ATTACKS:
        for number in range(trials or ATTACKS[name].trials):
            key = (name, seed + number)
            if key not in done:
                done[key] = attacked(lab, *key)
                with results.open("a") as file:
                    file.write(json.dumps(done[key]) + "\n")
                click.echo(f"{name} {key[1]}: {done[key]['lost'] or 'nothing lost'}", err=True)
    print_table(list(done.values()))
    if any(result["lost"] for result in done.values()):
        raise SystemExit(1)


def attacked(lab: Laboratory, name: str, seed: int) -> dict[str, Any]:
    began = time.monotonic()
    lost, happened = None, Counter[str]()
    try:
        happened = ATTACKS[name].trial(lab, seed)
    except Lost as error:
        lost = str(error)
    except Exception as error:
        lost = f"{type(error).__name__}: {error}"
    seconds = round(time.monotonic() - began, 1)
    return {"attack": name, "seed": seed, "seconds": seconds, "happened": happened, "lost": lost}


def read(results: Path) -> dict[tuple[str, int], dict[str, Any]]:
    lines = results.read_text().splitlines() if results.exists() else []
    return {(made["attack"], made["seed"]): made for made in map(json.loads, lines)}


def print_table(results: list[dict[str, Any]]) -> None:
    click.echo("| attack | trials | what happened | what was checked | lost |")
    click.echo("|---|---|---|---|---|")
    for name, attack in ATTACKS.items():
        made = [result for result in results if result["attack"] == name]
        if not made:
            continue
        happened: Counter[str] = sum((Counter(result["happened"]) for result in made), Counter())
        counts = ", ".join(f"{count:,} {what.replace('_', ' ')}" for what, count in happened.items())
        lost = sum(result["lost"] is not None for result in made)
        click.echo(f"| {attack.what} | {len(made)} | {counts} | {attack.checked} | {lost or 'nothing'} |")


if __name__ == "__main__":
    main(prog_name="python -m benchmarks.chaos")

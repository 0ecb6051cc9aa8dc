"""What `deployer plan`, `sync`, `status`, `rollback`, `history` and `destroy` do; cli.py declares their words."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import click

from deployer.errors import DeployerError, UsageError
from deployer.sync.compare import Options, Step
from deployer.sync.definitions import Definition, load_definitions
from deployer.sync.plan import Plan, make_plan
from deployer.sync.render import (
    applied_value,
    done_line,
    how_to_pass,
    line_of_step,
    lines_of_applied,
    lines_of_plan,
    lines_of_unmanaged,
    plan_value,
)
from deployer.sync.state import State

if TYPE_CHECKING:
    from deployer.config import Config
    from deployer.warehouse import Warehouse

CHANGES = 3
MOST_PLANS = 5  # of one sync, each of which another deployment overtook
PrintTable = Callable[[Sequence[str], Sequence[Sequence[str]]], None]


@dataclass(frozen=True, slots=True)
class How:
    """The way in which a plan is carried out and told of."""

    jobs: int = 8
    roll_back: bool = True
    as_json: bool = False
    confirmed: bool = False  # the loss of rows and values


def plan(config: Config, options: Options, how: How) -> int:
    """The exit status."""
    definitions = load_definitions(config)

    def look(warehouse: Warehouse, made: Plan) -> None:
        from deployer.sync.trials import can_be_tried, refuse_what_fails

        refuse_what_fails(warehouse, can_be_tried(made), how.jobs)

    made = _seen(config, definitions, options, look)
    _print([_json(plan_value(made))] if how.as_json else lines_of_plan(made))
    if any(step.verb == "refused" for step in made.steps):
        return 1
    return CHANGES if made.steps else 0


def status(config: Config, how: How, print_table: PrintTable) -> None:
    from deployer.sync.status import HEADINGS, lines_of_drift, status_rows, status_value

    definitions = load_definitions(config)
    by: dict[str, str] = {}

    def look(warehouse: Warehouse, made: Plan) -> None:
        from deployer.sync.authors import authors

        by.update(authors(warehouse, [step for step in made.steps if step.is_drift]))

    made = _seen(config, definitions, Options(), look)
    if how.as_json:
        _print([_json(status_value(definitions, made, by))])
        return
    print_table(HEADINGS, status_rows(definitions, made, by))
    _print(lines_of_drift(made))


def sync(config: Config, options: Options, how: How) -> None:
    """Raises DeployerError with how far it came when something failed."""
    definitions = load_definitions(config)

    from deployer.warehouse import Warehouse

    if config.warehouse.path is not None:
        config.warehouse.path.parent.mkdir(parents=True, exist_ok=True)
    with Warehouse(config, _warn) as warehouse:
        _end_in_order(warehouse)
        _apply(warehouse, lambda: _planned(warehouse, definitions, options), how)


def rollback(config: Config, to: int | None, options: Options, how: How) -> None:
    """Raises UsageError for a deployment that does not exist."""
    from deployer.sync.rollback import definitions_at, earlier
    from deployer.warehouse import Warehouse

    with Warehouse(config, _warn) as warehouse:
        _end_in_order(warehouse)
        number = earlier(warehouse, to)
        definitions = definitions_at(warehouse, number)
        pruning = replace(options, prune=True)
        _apply(warehouse, lambda: _planned(warehouse, definitions, pruning), how, outcome=f"rolled back to {number}")


def history(config: Config, limit: int, how: How, print_table: PrintTable) -> None:
    from deployer.sync.calls import Missing
    from deployer.sync.deployments import history as past
    from deployer.warehouse import Warehouse

    with Warehouse(config, _warn) as warehouse:
        try:
            found = past(warehouse, limit)
        except Missing:
            raise UsageError("nothing was ever deployed there; run `deployer sync CONFIG` first") from None
    headings = ("id", "time (UTC)", "who", "code", "outcome", "objects")
    rows = [
        (
            str(each.number),
            f"{each.deployed_at:%Y-%m-%d %H:%M:%S}",
            each.deployed_by,
            each.code_version,
            each.outcome,
            str(each.objects),
        )
        for each in found
    ]
    if how.as_json:
        _print([_json([dict(zip(headings, row, strict=True)) for row in rows])])
    else:
        print_table(headings, rows)


def destroy(config: Config, suffix: str, how: How) -> None:
    from deployer.sync.sandbox import destroy as destroyed
    from deployer.sync.sandbox import refuse_foreign
    from deployer.warehouse import Warehouse

    with Warehouse(config, _warn) as warehouse:
        refuse_foreign(warehouse, suffix)
        if not how.confirmed:
            names = ", ".join(warehouse.dataset(name) for name in config.datasets)
            _ask(f"{names} and all that is in them would be deleted", config.environment)
        gone = []
        for target in destroyed(warehouse, suffix):
            gone.append(target)
            click.echo(f"deleted dataset {target}", err=how.as_json)
    if how.as_json:
        _print([_json({"deleted": gone})])
    elif not gone:
        click.echo(f"There is no sandbox {suffix}.")


def _seen(
    config: Config, definitions: Sequence[Definition], options: Options, look: Callable[[Warehouse, Plan], None]
) -> Plan:
    """The plan, and a second look at the warehouse with it; an embedded warehouse that is not there is not made."""
    if config.warehouse.path is not None and not config.warehouse.path.exists():
        return make_plan(definitions, State(), options)
    from deployer.warehouse import Warehouse, WarehouseInUse

    try:
        with Warehouse(config, _warn) as warehouse:
            made = _planned(warehouse, definitions, options)
            look(warehouse, made)
            return made
    except WarehouseInUse as error:
        raise DeployerError(str(error)) from error  # exit status 3 would say that there are changes


def _planned(warehouse: Warehouse, definitions: Sequence[Definition], options: Options) -> Plan:
    from deployer.sync.live import read_state

    state = read_state(warehouse, definitions, removed=options.prune)
    if options.suffix and not state.recorded and state.datasets:
        from deployer.sync.sandbox import refuse_foreign

        refuse_foreign(warehouse, options.suffix)
    return make_plan(definitions, state, options)


class _Deploying:
    """What a signal interrupts; applying makes an orderly end of it."""

    is_published = is_ending = False


def _end_in_order(warehouse: Warehouse) -> None:
    """From now on SIGINT and SIGTERM stop what is begun, put back, record and free the lock, in the time for that."""
    from deployer.signals import SIGNALS

    SIGNALS.grace_seconds = warehouse.config.grace_seconds
    SIGNALS.watch(_Deploying(), warehouse.patience)
    SIGNALS.install()


def _apply(warehouse: Warehouse, planned: Callable[[], Plan], how: How, outcome: str = "applied") -> None:
    from deployer.sync.apply import Superseded, apply_plan
    from deployer.sync.progress import watching
    from deployer.sync.trials import can_be_tried, refuse_what_fails

    for _ in range(MOST_PLANS):
        made = planned()
        if not made.steps:
            value = {"outcome": "nothing to do", **plan_value(made)}
            _print([_json(value)] if how.as_json else lines_of_plan(made))
            return
        _refuse_hindrances(made)
        if not how.confirmed:
            _confirm([step for step in made.steps if step.loses], warehouse.config.environment)
        tried = can_be_tried(made)
        # Where all can be tried, the first one's own CREATE is its trial: if it fails, nothing was changed.
        first = tried[0] if tried and len(tried) == len(made.steps) else None
        refuse_what_fails(warehouse, [step for step in tried if step is not first], how.jobs)
        try:
            with watching(made, to_stderr=how.as_json) as watch:
                applied = apply_plan(
                    warehouse, made, watch, jobs=how.jobs, roll_back=how.roll_back, outcome=outcome, first=first
                )
        except Superseded:
            continue
        break
    else:
        raise DeployerError("other deployments came between plan and work, again and again; try again later")
    if how.as_json:
        _print([_json(applied_value(applied, made.unchanged))])
    problems = "\n".join(lines_of_applied(applied))
    if applied.interrupted is not None:
        click.echo(f"deployer: {problems}", err=True)
        raise applied.interrupted
    if problems:
        raise DeployerError(problems)
    if not how.as_json:
        _print([*lines_of_unmanaged(made), done_line(applied, made.unchanged)])


def _refuse_hindrances(made: Plan) -> None:
    """Raises DeployerError: a sync does all of its plan or nothing."""
    hindrances = made.hindrances
    if hindrances:
        places = [f"{step.definition.path}: " if step.definition else "" for step in hindrances]
        lines = [f"{place}{step.target} {step.reason}." for place, step in zip(places, hindrances, strict=True)]
        raise DeployerError("\n".join([*lines, f"Nothing was applied: {how_to_pass(hindrances)}"]))


def _confirm(losing: Sequence[Step], environment: str) -> None:
    if not losing:
        return
    lines = [line_of_step(step) for step in losing]
    _ask("\n".join(["rows or values would be lost:", *lines]), environment)


def _ask(loss: str, environment: str) -> None:
    """Raises UsageError unless a person types the environment's name."""
    if not sys.stdin.isatty():
        raise UsageError(f"{loss}\nSay --yes if you mean it; nothing was changed.")
    click.echo(loss)
    typed = click.prompt(f"Type {environment} to go on", default="", show_default=False)
    if typed != environment:
        raise UsageError("not confirmed; nothing was changed")


def _warn(sentence: str) -> None:
    click.echo(f"deployer: {sentence}", err=True)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2)


def _print(lines: Iterable[str]) -> None:
    text = "".join(f"{line}\n" for line in lines)
    with suppress(BrokenPipeError):
        click.echo(text, nl=False)

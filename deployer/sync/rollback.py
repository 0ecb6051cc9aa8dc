"""The definitions of an earlier deployment, read back from the record."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from deployer.errors import UsageError
from deployer.source import Name
from deployer.source.tree import SqlObject, read_object
from deployer.sync.calls import Missing, run
from deployer.sync.definitions import DEPLOYMENTS, Definition, in_order
from deployer.sync.deployments import LATEST
from deployer.sync.state import Key
from deployer.warehouse import Warehouse

KNOWN = """
SELECT d.deployment_id AS number, d.outcome
FROM {deployments} AS d
WHERE d.environment = @environment AND d.outcome != 'started'
ORDER BY number DESC
"""


def earlier(warehouse: Warehouse, wanted: int | None) -> int:
    """The wanted deployment, or the one before the latest that went well; raises UsageError when there is none."""
    sql = KNOWN.format(deployments=warehouse.quoted(*DEPLOYMENTS))
    try:
        rows = list(run(warehouse, sql, "Reading ops.deployments", environment=warehouse.config.environment))
    except Missing:
        raise UsageError("nothing was ever deployed there; run `deployer sync CONFIG` first") from None
    complete = [row.number for row in rows if row.outcome != "failed"]
    found = complete[1:2] if wanted is None else [row.number for row in rows if row.number == wanted]
    if found:
        return int(found[0])
    there = f"there are {', '.join(str(row.number) for row in rows[:10])}" if rows else "there is none"
    said = f"deployment {wanted} does not exist" if wanted is not None else "there is no deployment before the latest"
    raise UsageError(f"{said} in environment {warehouse.config.environment}; {there}. `deployer history` lists them.")


def definitions_at(warehouse: Warehouse, number: int) -> tuple[Definition, ...]:
    """Routines and views as they were after a deployment; tables as they are, for their rows have no earlier version.

    A table that the deployment had and that was dropped since is made again.
    """
    then, now = _recorded(warehouse, number), _recorded(warehouse, None)
    objects = {key: made for key, made in now.items() if made.kind == "TABLE"}
    objects |= {key: made for key, made in then.items() if made.kind != "TABLE" or key not in objects}
    by_name = {name: made for (name, _), made in objects.items()}
    return in_order(by_name, warehouse.config.datasets)


def _recorded(warehouse: Warehouse, number: int | None) -> dict[Key, SqlObject]:
    until = "" if number is None else f" AND d.deployment_id <= {number}"
    sql = LATEST.format(deployments=warehouse.quoted(*DEPLOYMENTS), until=until)
    sql = f"SELECT object, kind, definition FROM ({sql}) WHERE definition IS NOT NULL"
    rows = run(warehouse, sql, "Reading ops.deployments", environment=warehouse.config.environment)
    logical = {target: name for name, target in warehouse.config.datasets.items()}
    found = {}
    for row in rows:
        name = Name(*row.object.split(".", 1))
        path = Path(f"deployment {number}") / str(name)
        made = read_object(row.definition, name, path, logical.keys())
        if made.created.name.rpartition(".")[0].split(".")[-1] != warehouse.config.datasets.get(name.dataset):
            raise UsageError(
                f"{path}: was deployed as {made.created.name}, which `datasets` of the config maps otherwise"
            )
        # The text has the environment's names already, so to rename them again changes nothing.
        references = tuple(replace(each, dataset=logical[each.dataset]) for each in made.references)
        found[name, row.kind] = replace(made, references=references)
    return found

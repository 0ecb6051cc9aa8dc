"""Reads an environment's state; the number of calls does not grow with the number of objects."""

from __future__ import annotations

from collections.abc import Collection

from deployer.source import Name
from deployer.sync.definitions import DEPLOYMENTS, Definition
from deployer.sync.deployments import deployed_checksums
from deployer.sync.state import RELATIONS, State
from deployer.sync.tables import shape_of_table
from deployer.warehouse import RETRY, Warehouse, explained

PAGE_SIZE = 1000  # the server's own is 50, which makes calls grow with the number of objects
KIND_OF_ROUTINE_TYPE = {
    "SCALAR_FUNCTION": "FUNCTION",
    "AGGREGATE_FUNCTION": "FUNCTION",
    "TABLE_VALUED_FUNCTION": "FUNCTION",
}


def read_state(warehouse: Warehouse, definitions: Collection[Definition]) -> State:
    """One call for all datasets, at most two a dataset, one query, and one call a changed table."""
    client = warehouse.client
    with explained(f"Listing the datasets of {client.project}"):
        found = {item.dataset_id for item in client.list_datasets(page_size=PAGE_SIZE, retry=RETRY)}
    live = frozenset(made.name.dataset for made in definitions if made.target.dataset in found)
    relations: dict[Name, str] = {}
    routines: dict[Name, str] = {}
    for dataset in sorted(live):
        kinds = {made.kind for made in definitions if made.name.dataset == dataset}
        target = warehouse.dataset(dataset)
        with explained(f"Listing {target}"):
            if kinds & RELATIONS:
                for table in client.list_tables(target, page_size=PAGE_SIZE, retry=RETRY):
                    relations[Name(dataset, table.table_id)] = table.table_type
            if kinds - RELATIONS:
                for routine in client.list_routines(target, page_size=PAGE_SIZE, retry=RETRY):
                    kind = KIND_OF_ROUTINE_TYPE.get(routine.type_, routine.type_)
                    routines[Name(dataset, routine.routine_id)] = kind
    checksums = deployed_checksums(warehouse) if DEPLOYMENTS in relations else {}
    shapes = {}
    for made in definitions:
        is_table = made.kind == relations.get(made.name) == "TABLE"
        if is_table and checksums.get(made.name) != made.checksum:
            with explained(f"Reading table {made.target}"):
                shapes[made.name] = shape_of_table(client.get_table(f"{client.project}.{made.target}", retry=RETRY))
    return State(live, relations, routines, checksums, shapes)

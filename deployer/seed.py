"""Fills the landing tables of an environment with the sample data."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from google.api_core.exceptions import NotFound
from google.cloud.bigquery import LoadJobConfig, SourceFormat, Table, WriteDisposition

from deployer.errors import UsageError
from deployer.warehouse import RETRY, Warehouse, explained


def load_samples(warehouse: Warehouse, folder: Path) -> Iterator[tuple[str, int]]:
    """Replaces the rows of `raw.<name>` by those of `<name>.parquet`; yields each table and its rows.

    Raises UsageError before the first load when the folder or one of the tables is missing.
    """
    files = sorted(folder.glob("*.parquet"))
    if not files:
        raise UsageError(f"{folder} has no Parquet files; `sample_data:` of the config names the folder.")
    tables = [_table(warehouse, file) for file in files]
    for file, table in zip(files, tables, strict=True):
        yield f"{table.dataset_id}.{table.table_id}", _load(warehouse, file, table)


def _table(warehouse: Warehouse, file: Path) -> Table:
    name = f"{warehouse.dataset('raw')}.{file.stem}"
    with explained(f"Reading table {name}"):
        try:
            return warehouse.client.get_table(name, retry=RETRY)
        except NotFound:
            message = f"{name}, the table for {file.name}, does not exist; run `deployer sync CONFIG` first."
            raise UsageError(message) from None


def _load(warehouse: Warehouse, file: Path, table: Table) -> int:
    # WRITE_TRUNCATE takes over the schema of what it loads, so the table's own goes with it.
    job_config = LoadJobConfig(
        source_format=SourceFormat.PARQUET,
        write_disposition=WriteDisposition.WRITE_TRUNCATE,
        schema=table.schema,
        time_partitioning=table.time_partitioning,
        clustering_fields=table.clustering_fields,
    )
    with explained(f"Loading {file.name} into {table}"), file.open("rb") as content:
        job = warehouse.client.load_table_from_file(content, table.reference, job_config=job_config)
        job.result(retry=RETRY)
    return int(job.output_rows or 0)

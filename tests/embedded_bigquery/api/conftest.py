from collections.abc import Iterator

import pytest
from google.cloud import bigquery

from embedded_bigquery import connect


@pytest.fixture
def client() -> Iterator[bigquery.Client]:
    """A client of an engine in memory that has one dataset, `d`."""
    with connect() as client:
        client.create_dataset("d")
        yield client

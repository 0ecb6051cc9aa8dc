"""definitions.py: sql/ with an environment's dataset names, in the order of work."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import pytest

from deployer.config import Config
from deployer.errors import UsageError
from deployer.sync.definitions import load_definitions


def test_definitions_are_the_files_with_datasets_mapped_and_aliases_left(config: Config) -> None:
    publish = load_definitions(config)[-1]
    assert (str(publish.name), str(publish.target), publish.kind) == ("sid.publish", "dev.publish", "PROCEDURE")
    assert publish.text == (
        "CREATE OR REPLACE PROCEDURE dev.publish()\n"
        "BEGIN\n"
        "  INSERT INTO dev.fct (agent) SELECT ops.carrier FROM ops_raw.flights AS ops WHERE ops.flight > 0;\n"
        "  CALL dev_operations.note('ops.note');\n"
        "END;\n"
    )
    assert publish.checksum == sha256(publish.text.encode()).hexdigest()


def test_definitions_come_in_dependency_order_with_the_deployments_table_first(config: Config) -> None:
    (config.sql / "aaa" / "tables").mkdir(parents=True)
    (config.sql / "aaa" / "tables" / "t.sql").write_text("CREATE TABLE aaa.t (a INT64);")
    with_aaa = config.model_copy(update={"datasets": {**config.datasets, "aaa": "aaa"}})
    names = [str(made.name) for made in load_definitions(with_aaa)]
    assert names == [
        "ops.deployments",
        "aaa.t",
        "raw.flights",
        "sid.fct",
        "ops.note",
        "sid.agents",
        "sid.publish",
    ]


def test_place_in_file_undoes_what_longer_and_shorter_names_moved(config: Config) -> None:
    publish = load_definitions(config)[-1]
    written, mapped = publish.source.text.splitlines(), publish.text.splitlines()
    for word in ("INSERT", "fct", "SELECT", "ops.carrier", "flights", "AS ops", "WHERE"):
        place = publish.place_in_file(3, mapped[2].index(word) + 1)
        assert place == (3, written[2].index(word) + 1)
    assert publish.place_in_file(4, mapped[3].index("'ops") + 1) == (4, written[3].index("'ops") + 1)


def test_definitions_refuse_a_dataset_that_the_config_does_not_map(config: Config) -> None:
    partly = config.model_copy(update={"datasets": {"ops": "ops"}})
    with pytest.raises(UsageError, match="does not map raw, sid"):
        load_definitions(partly)


def test_definitions_refuse_an_sql_that_has_no_place_for_the_record(config: Config) -> None:
    Path(config.sql, "ops", "tables", "deployments.sql").unlink()
    with pytest.raises(UsageError, match=r"has no ops/tables/deployments\.sql"):
        load_definitions(config)

"""definitions.py: sql/ with an environment's dataset names, in the order of work."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import pytest

from deployer.config import Config
from deployer.errors import UsageError
from deployer.source.create import normal_form
from deployer.sync.definitions import load_definitions, repeatable


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
    assert publish.checksum == sha256(normal_form(publish.text).encode()).hexdigest()


def test_checksum_knows_body_and_datasets_and_nothing_of_the_frames_spelling(config: Config, sql: Path) -> None:
    def checksum(config: Config) -> str:
        return load_definitions(config)[-1].checksum

    before, file = checksum(config), sql / "sid/procedures/publish.sql"
    text = file.read_text()
    file.write_text(f"-- Why.\n{text.replace('CREATE OR REPLACE PROCEDURE', 'create procedure')}")
    assert checksum(config) == before
    file.write_text(text.replace("  CALL", "   CALL"))
    assert checksum(config) != before
    file.write_text(text)
    assert checksum(config.model_copy(update={"datasets": {**config.datasets, "raw": "other"}})) != before


def test_definitions_come_in_dependency_order_with_the_deployments_tables_first(config: Config) -> None:
    (config.sql / "aaa" / "tables").mkdir(parents=True)
    (config.sql / "aaa" / "tables" / "t.sql").write_text("CREATE TABLE aaa.t (a INT64);")
    with_aaa = config.model_copy(update={"datasets": {**config.datasets, "aaa": "aaa"}})
    names = [str(made.name) for made in load_definitions(with_aaa)]
    assert names == [
        "ops.deploy_locks",
        "ops.deployments",
        "aaa.t",
        "raw.flights",
        "sid.fct",
        "ops.note",
        "sid.agents",
        "sid.publish",
    ]


def test_place_in_file_undoes_what_longer_and_shorter_names_moved(config: Config, sql: Path) -> None:
    file = sql / "sid/procedures/publish.sql"
    file.write_text(file.read_text().replace(" OR REPLACE", ""))
    publish = load_definitions(config)[-1]
    written, mapped = publish.source.text.splitlines(), publish.text.splitlines()
    assert mapped[0] == "CREATE OR REPLACE PROCEDURE dev.publish()"
    for line, words in (
        (1, ["PROCEDURE", "publish"]),
        (3, ["INSERT", "fct", "SELECT", "ops.carrier", "flights", "AS ops", "WHERE"]),
        (4, ["note(", "'ops"]),
    ):
        for word in words:
            place = publish.place_in_file(line, mapped[line - 1].index(word) + 1)
            assert place == (line, written[line - 1].index(word) + 1)


def test_statements_may_reach_the_server_twice(config: Config) -> None:
    assert repeatable("CREATE TABLE `sid`.t (a INT64)") == "CREATE TABLE IF NOT EXISTS `sid`.t (a INT64)"
    assert repeatable("CREATE TABLE FUNCTION a.f() AS SELECT 1") == "CREATE OR REPLACE TABLE FUNCTION a.f() AS SELECT 1"
    for made in load_definitions(config):
        assert repeatable(made.text) == made.text


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("CREATE VIEW sid.v AS SELECT 1 AS a FROM lib.t;", "1:41"),
        ("CREATE PROCEDURE sid.v()\nBEGIN\n  CALL lib.f();\nEND;", "3:8"),
    ],
)
def test_definitions_refuse_a_dataset_that_the_config_does_not_map(config: Config, text: str, place: str) -> None:
    with pytest.raises(UsageError, match="does not map raw; add a line for it"):
        load_definitions(config.model_copy(update={"datasets": {"ops": "ops", "sid": "sid"}}))
    kind = "views" if "VIEW" in text else "procedures"
    file = config.sql / "sid" / kind / "v.sql"
    file.write_text(text)
    with pytest.raises(UsageError, match=f"/v.sql:{place}: .*does not map lib"):
        load_definitions(config)
    with_lib = config.model_copy(update={"datasets": {**config.datasets, "lib": "lib_1"}})
    [made] = [made for made in load_definitions(with_lib) if made.name.name == "v"]
    assert "lib_1." in made.text
    assert [(each.dataset, each.name) for each in made.foreign] == [("lib", "t" if kind == "views" else "f")]


def test_a_body_that_is_not_checked_when_it_is_made_may_name_what_is_not_there_yet(config: Config) -> None:
    text = "CREATE PROCEDURE sid.p() OPTIONS (strict_mode = FALSE) BEGIN CALL sid.later(); END"
    file = config.sql / "sid/procedures/p.sql"
    for written, names in ((text, []), (text.replace("FALSE", "TRUE"), ["later"])):
        file.write_text(written)
        [made] = [made for made in load_definitions(config) if made.name.name == "p"]
        assert [each.name for each in made.foreign] == names


@pytest.mark.parametrize("name", ["deployments", "deploy_locks"])
def test_definitions_refuse_an_sql_that_has_no_place_for_the_record(config: Config, name: str) -> None:
    Path(config.sql, "ops", "tables", f"{name}.sql").unlink()
    with pytest.raises(UsageError, match=rf"has no ops/tables/{name}\.sql"):
        load_definitions(config)

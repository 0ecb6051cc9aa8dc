"""source/: sql/ files -> objects, references by place in the grammar, order of work."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deployer.errors import SourceError
from deployer.source import CycleError, Name, in_dependency_order, load_tree
from deployer.source.create import normal_form
from deployer.source.lexer import Unreadable, tokenize
from deployer.source.references import references
from deployer.sync.definitions import Edit, edited

SQL = Path(__file__).parents[3] / "sql"
TO_DEV = {"raw": "dev_raw", "sid": "dev_sid", "ops": "dev_ops"}


def rename(text: str, datasets: dict[str, str]) -> str:
    found = references(text, tokenize(text), datasets)
    return edited(text, [Edit(each.start, each.dataset_end, datasets[each.dataset]) for each in found])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("SELECT raw.flights FROM sid.x AS raw", "SELECT raw.flights FROM dev_sid.x AS raw"),
        ("SELECT f.a FROM raw.flights AS f", "SELECT f.a FROM dev_raw.flights AS f"),
        ("SELECT 1 FROM sid.t AS raw, raw.items", "SELECT 1 FROM dev_sid.t AS raw, raw.items"),
        ("SELECT 1 FROM sid.t AS raw, UNNEST(raw.items)", "SELECT 1 FROM dev_sid.t AS raw, UNNEST(raw.items)"),
        ("SELECT 1 FROM sid.t, raw.u", "SELECT 1 FROM dev_sid.t, dev_raw.u"),
        ("SELECT EXTRACT(DAY FROM raw.d) FROM sid.t AS raw", "SELECT EXTRACT(DAY FROM raw.d) FROM dev_sid.t AS raw"),
        ("SELECT a IS DISTINCT FROM raw.d FROM sid.t raw", "SELECT a IS DISTINCT FROM raw.d FROM dev_sid.t raw"),
        ("SELECT 'raw.flights' -- FROM raw.flights\n", "SELECT 'raw.flights' -- FROM raw.flights\n"),
        ("CALL ops.note(1); SELECT ops.f(2)", "CALL dev_ops.note(1); SELECT dev_ops.f(2)"),
        ("INSERT INTO raw.t (a) VALUES (1)", "INSERT INTO dev_raw.t (a) VALUES (1)"),
        ("INSERT raw.t (a) VALUES (1)", "INSERT dev_raw.t (a) VALUES (1)"),
        ("SELECT 1 FROM raw.INFORMATION_SCHEMA.TABLES", "SELECT 1 FROM dev_raw.INFORMATION_SCHEMA.TABLES"),
        ("SELECT 1 FROM sid.t AS ops WHERE EXISTS (SELECT 1 FROM UNNEST(ops.a))", None),
        ("SELECT [1, ops.a] FROM sid.t ops", None),
        ("DELETE FROM `raw.t` WHERE TRUE", "DELETE FROM `dev_raw.t` WHERE TRUE"),
        ("DELETE FROM `raw`.t WHERE TRUE", "DELETE FROM `dev_raw`.t WHERE TRUE"),
        ("UPDATE raw.t SET raw.a = 1 WHERE TRUE", "UPDATE dev_raw.t SET raw.a = 1 WHERE TRUE"),
        (
            "MERGE sid.d AS ops USING raw.s AS raw ON ops.k = raw.k WHEN NOT MATCHED THEN INSERT (k) VALUES (raw.k)",
            "MERGE dev_sid.d AS ops USING dev_raw.s AS raw ON ops.k = raw.k "
            "WHEN NOT MATCHED THEN INSERT (k) VALUES (raw.k)",
        ),
        ("SELECT (SELECT 1 FROM raw.t) FROM sid.u AS ops", "SELECT (SELECT 1 FROM dev_raw.t) FROM dev_sid.u AS ops"),
    ],
)
def test_rename_maps_datasets_and_never_an_alias_of_that_name(text: str, expected: str | None) -> None:
    assert rename(text, TO_DEV) == (expected or text.replace("sid.t", "dev_sid.t"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("CALL lib.p()", ["lib.p"]),
        ("SELECT 1 FROM lib.t JOIN `lib.u` USING (a)", ["lib.t", "lib.u"]),
        ("SELECT 1 FROM project.lib.t, `project.lib.t`", []),
        ("SELECT NET.HOST(a) FROM ML.PREDICT(x)", []),
        ("SELECT 1 FROM raw.t AS f WHERE EXISTS (SELECT 1 FROM f.items)", ["raw.t"]),
        ("DECLARE r STRUCT<a INT64>; EXECUTE IMMEDIATE 'x' USING r.a", []),
        ("FOR r IN (SELECT 1 AS a) DO INSERT sid.t SELECT 1 FROM UNNEST([r.a]); END FOR", ["sid.t"]),
    ],
)
def test_references_to_unknown_datasets_are_told_where_nothing_else_is_meant(text: str, expected: list[str]) -> None:
    assert [f"{each.dataset}.{each.name}" for each in references(text, tokenize(text), TO_DEV)] == expected


CASES = (Path(__file__).parent / "normal_forms.txt").read_text().rstrip("\n").split("\n====\n")


@pytest.mark.parametrize("case", CASES)
def test_normal_form_stays_as_it_is(case: str) -> None:
    """A change of it makes every object of every environment look changed."""
    text, expected = case.split("\n----\n")
    assert normal_form(text) == expected.rstrip("\n")


@pytest.mark.parametrize("start", ["'a", '"a', '"""a"', "`a", "/* a", "'a\n'"])
def test_tokenize_tells_where_something_without_an_end_begins(start: str) -> None:
    with pytest.raises(Unreadable) as caught:
        tokenize(f"SELECT 'it''s', r'n', {start}")
    assert caught.value.position == len("SELECT 'it''s', r'n', ")


@given(st.sampled_from(sorted(SQL.rglob("*.sql"))), st.text("abcxyz_", min_size=1, max_size=12))
def test_rename_and_back_gives_every_byte_of_the_file(file: Path, prefix: str) -> None:
    datasets = ("raw", "staging", "sid", "ops")
    there = {name: f"{prefix}_{name}" for name in datasets}
    text = file.read_text()
    renamed = rename(text, there)
    assert renamed != text
    assert rename(renamed, {target: name for name, target in there.items()}) == text


def test_load_tree_reads_every_file_of_this_repository() -> None:
    objects = load_tree(SQL)
    assert len(objects) == len(list(SQL.rglob("*.sql")))
    publish = objects[Name("sid", "sid_fct_departure_publish")]
    assert {str(name) for name in publish.needs} == {
        *("raw.flights", "staging.fct_departure", "sid.fct_departure", "ops.rejected_rows"),
        *("ops.record_published_window", "ops.require_lease", "ops.conclude_expectations"),
        *(f"ops.expect_{gate}" for gate in ("no_fall", "none", "not_null", "reject_share", "row_count", "unique_key")),
    }


def test_order_puts_everything_that_an_object_needs_on_an_earlier_level() -> None:
    objects = load_tree(SQL)
    level_of = {made.name: number for number, level in enumerate(in_dependency_order(objects)) for made in level}
    assert level_of.keys() == objects.keys()
    for made in objects.values():
        for need in made.needs:
            assert level_of[need] < level_of[made.name]


def write(root: Path, path: str, text: str) -> None:
    file = root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def procedure(name: str, calls: str) -> str:
    return f"CREATE OR REPLACE PROCEDURE {name}()\nBEGIN\n  CALL {calls}();\nEND;\n"


def test_order_names_the_cycle(tmp_path: Path) -> None:
    write(tmp_path, "sid/procedures/a.sql", procedure("sid.a", "sid.b"))
    write(tmp_path, "sid/procedures/b.sql", procedure("sid.b", "sid.a"))
    with pytest.raises(CycleError, match=r"sid\.(a -> sid\.b -> sid\.a|b -> sid\.a -> sid\.b)") as caught:
        in_dependency_order(load_tree(tmp_path))
    assert caught.value.exit_status == 2


@pytest.mark.parametrize(
    ("path", "text", "place", "message"),
    [
        ("sid/tables/t.sql", "-- sid.t\nCREATE TABLE sid.u (a INT64);", "2:14", "creates TABLE sid.u, but the path"),
        ("sid/views/t.sql", "CREATE TABLE sid.t (a INT64);", "1:14", "the path says VIEW sid.t"),
        ("sid/tables/t.sql", "CREATE TABLE sid.t (a INT64);\nDROP TABLE sid.u;", "2:1", "a second statement"),
        (
            "sid/procedures/p.sql",
            "CREATE PROCEDURE sid.p()\nBEGIN\n  IF TRUE THEN SELECT CASE WHEN TRUE THEN 1 END; END IF;\nEND;\n"
            "DROP TABLE sid.t;",
            "5:1",
            "a second statement",
        ),
        ("sid/tables/t.sql", "SELECT 1", "1:1", "must be CREATE"),
        ("sid/tables/t.sql", "", "1:1", "must be CREATE"),
        ("sid/table/t.sql", "CREATE TABLE sid.t (a INT64);", "1:1", "expected <dataset>/tables"),
        ("sid/tables/t.sql", "CREATE TABLE sid.t (a STRING DEFAULT 'x);", "1:38", "cannot be read as SQL"),
        ("sid/tables/t.sql", "\nCREATE OR REPLACE TABLE sid.t (a INT64);", "2:1", "would drop the rows"),
        ("sid/views/t.sql", "CREATE VIEW IF NOT EXISTS sid.t AS SELECT 1;", "1:1", "would never replace it"),
    ],
)
def test_load_tree_refuses_with_file_line_and_column(
    tmp_path: Path, path: str, text: str, place: str, message: str
) -> None:
    write(tmp_path, path, text)
    with pytest.raises(SourceError) as caught:
        load_tree(tmp_path)
    assert str(caught.value).startswith(f"{tmp_path / path}:{place}: ")
    assert message in str(caught.value)
    assert caught.value.exit_status == 2


def test_load_tree_refuses_two_files_for_one_object(tmp_path: Path) -> None:
    write(tmp_path, "sid/tables/t.sql", "CREATE TABLE sid.t (a INT64);")
    write(tmp_path, "sid/views/t.sql", "CREATE VIEW sid.t AS SELECT 1 AS a;")
    with pytest.raises(SourceError, match="is also created by"):
        load_tree(tmp_path)


def test_load_tree_refuses_names_that_differ_by_case_alone(tmp_path: Path) -> None:
    write(tmp_path, "sid/procedures/p.sql", procedure("sid.p", "sid.q"))
    write(tmp_path, "sid/procedures/P.sql", procedure("sid.P", "sid.q"))
    with pytest.raises(SourceError, match="is also created by"):
        load_tree(tmp_path)


def test_order_finds_a_cycle_whatever_the_case_of_the_calls(tmp_path: Path) -> None:
    write(tmp_path, "sid/procedures/a.sql", procedure("sid.a", "sid.B"))
    write(tmp_path, "sid/procedures/b.sql", procedure("sid.b", "sid.A"))
    with pytest.raises(CycleError):
        in_dependency_order(load_tree(tmp_path))


def test_load_tree_refuses_what_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "sid" / "tables" / "t.sql").mkdir(parents=True)
    with pytest.raises(SourceError, match="cannot be read"):
        load_tree(tmp_path)


def test_load_tree_takes_a_table_function_for_a_function(tmp_path: Path) -> None:
    write(tmp_path, "sid/functions/f.sql", "CREATE OR REPLACE TABLE FUNCTION sid.f(n INT64) AS SELECT n;")
    assert [made.kind for made in load_tree(tmp_path).values()] == ["FUNCTION"]

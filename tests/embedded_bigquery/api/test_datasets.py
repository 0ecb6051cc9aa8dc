import pytest
from google.api_core import exceptions
from google.cloud import bigquery


def test_a_dataset_is_created_read_and_listed(client: bigquery.Client) -> None:
    dataset = bigquery.Dataset("local.sales")
    dataset.description, dataset.labels = "what was sold", {"team": "a"}
    client.create_dataset(dataset)
    found = client.get_dataset("sales")
    assert (found.description, found.labels, found.location) == ("what was sold", {"team": "a"}, "EU")
    assert found.created is not None and found.etag
    assert [item.dataset_id for item in client.list_datasets()] == ["d", "sales"]
    assert [item.dataset_id for item in client.list_datasets(filter="labels.team:a")] == ["sales"]
    assert [item.dataset_id for item in client.list_datasets(filter="labels.team:b")] == []


def test_a_dataset_that_exists_is_a_conflict_unless_that_is_fine(client: bigquery.Client) -> None:
    with pytest.raises(exceptions.Conflict, match="Already Exists: Dataset local:d"):
        client.create_dataset("d")
    assert client.create_dataset("d", exists_ok=True).dataset_id == "d"


def test_an_impossible_dataset_name_is_refused(client: bigquery.Client) -> None:
    with pytest.raises(exceptions.BadRequest, match='Invalid dataset ID "a-b"'):
        client.create_dataset("a-b")


def test_an_update_changes_the_fields_that_it_names_and_no_others(client: bigquery.Client) -> None:
    dataset = client.get_dataset("d")
    dataset.description, dataset.labels = "new", {"a": "1", "b": "2"}
    dataset = client.update_dataset(dataset, ["description", "labels"])
    dataset.description, dataset.labels["a"] = "never sent", None
    dataset = client.update_dataset(dataset, ["labels"])
    assert (dataset.description, dataset.labels) == ("new", {"b": "2"})


def test_an_update_of_an_old_version_is_refused(client: bigquery.Client) -> None:
    old, same = client.get_dataset("d"), client.get_dataset("d")
    old.description = same.description = "new"
    client.update_dataset(old, ["description"])
    with pytest.raises(exceptions.PreconditionFailed) as refused:
        client.update_dataset(same, ["description"])
    assert refused.value.errors[0]["reason"] == "conditionNotMet"


def test_a_dataset_that_holds_a_table_goes_only_with_its_contents(client: bigquery.Client) -> None:
    client.create_table(bigquery.Table("local.d.t", [bigquery.SchemaField("x", "INT64")]))
    with pytest.raises(exceptions.BadRequest, match="still in use"):
        client.delete_dataset("d")
    client.delete_dataset("d", delete_contents=True)
    with pytest.raises(exceptions.NotFound, match="Dataset local:d"):
        client.get_dataset("d")
    with pytest.raises(exceptions.NotFound):
        client.delete_dataset("d")
    client.delete_dataset("d", not_found_ok=True)


def test_the_list_comes_in_pages(client: bigquery.Client) -> None:
    for number in range(5):
        client.create_dataset(f"d{number}")
    pages = [[item.dataset_id for item in page] for page in client.list_datasets(page_size=4).pages]
    assert pages == [["d", "d0", "d1", "d2"], ["d3", "d4"]]

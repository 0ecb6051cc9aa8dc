"""JSON with a part set, removed, appended or inserted. Documents and values are canonical JSON text."""

from __future__ import annotations

from embedded_bigquery.natives.json_paths import MISSING, Step, get, steps
from embedded_bigquery.natives.json_values import Json, dump, load
from embedded_bigquery.natives.native import Native


def _steps(path: str, name: str) -> tuple[Step, ...]:
    try:
        return steps(path)
    except ValueError as error:
        raise ValueError(f"Invalid input to {name}: {error}") from None


def _made(path: tuple[Step, ...], value: Json) -> Json:
    """The value inside of the objects and arrays that the path names."""
    for step in reversed(path):
        value = {step: value} if isinstance(step, str) else [*[None] * step, value]
    return value


def _set(document: Json, path: tuple[Step, ...], value: Json, create: bool) -> Json:
    """The document with the value at the path; as it was where the path runs into a value of another kind."""
    if not path:
        return value
    step, rest = path[0], path[1:]
    if document is None and create:
        return _made(path, value)
    if isinstance(step, str) and isinstance(document, dict):
        if step in document:
            document[step] = _set(document[step], rest, value, create)
        elif create:
            document[step] = _made(rest, value)
    elif isinstance(step, int) and isinstance(document, list):
        if step < len(document):
            document[step] = _set(document[step], rest, value, create)
        elif create:
            document += [*[None] * (step - len(document)), _made(rest, value)]
    return document


def assigned(document: str, paths: list[str | None], values: list[str], create: bool) -> str:
    """JSON_SET; a path of NULL sets nothing. Raises ValueError."""
    found = load(document)
    for path, value in zip(paths, values, strict=True):
        if path is not None:
            found = _set(found, _steps(path, "JSON_SET"), load(value), create)
    return dump(found)


def removed(document: str, paths: list[str | None]) -> str:
    found = load(document)
    for path in paths:
        if path is None:
            continue
        wanted = _steps(path, "JSON_REMOVE")
        if not wanted:
            raise ValueError("The JSONPath cannot be '$'")
        parent = get(found, wanted[:-1])
        if get(parent, wanted[-1:]) is not MISSING:
            del parent[wanted[-1]]
    return dump(found)


def appended(document: str, paths: list[str | None], values: list[str], each: list[bool]) -> str:
    """JSON_ARRAY_APPEND; `each`: whether the value is an array whose elements are appended one by one."""
    found = load(document)
    for path, value, one_by_one in zip(paths, values, each, strict=True):
        if path is None:
            continue
        wanted, new = _steps(path, "JSON_ARRAY_APPEND"), load(value)
        items = new if one_by_one else [new]
        target = get(found, wanted)
        if isinstance(target, list):
            target += items
        elif target is None:
            found = _set(found, wanted, items, create=False) if wanted else items
    return dump(found)


def inserted(document: str, paths: list[str | None], values: list[str], each: list[bool]) -> str:
    """JSON_ARRAY_INSERT; the path ends in a position."""
    found = load(document)
    for path, value, one_by_one in zip(paths, values, each, strict=True):
        wanted = () if path is None else _steps(path, "JSON_ARRAY_INSERT")
        if not wanted or not isinstance(wanted[-1], int):
            continue
        new, position = load(value), wanted[-1]
        items = new if one_by_one else [new]
        target = get(found, wanted[:-1])
        if isinstance(target, list):
            target += [None] * (position - len(target))
            target[position:position] = items
        elif target is None:
            made = [*[None] * position, *items]
            found = _set(found, wanted[:-1], made, create=False) if wanted[:-1] else made
    return dump(found)


def stripped(document: str, path: str, arrays: bool, empty: bool) -> str:
    """JSON_STRIP_NULLS: without the nulls of objects, of `arrays` too, and without what is `empty` then."""
    found, wanted = load(document), _steps(path, "JSON_STRIP_NULLS")
    target = get(found, wanted)
    if target is MISSING:
        return document
    return dump(_set(found, wanted, _stripped(target, arrays, empty), create=False))


def _stripped(value: Json, arrays: bool, empty: bool) -> Json:
    if isinstance(value, dict):
        kept = {key: _stripped(item, arrays, empty) for key, item in value.items()}
        kept = {key: item for key, item in kept.items() if item is not None}
        return None if empty and not kept else kept
    if isinstance(value, list):
        items = [_stripped(item, arrays, empty) for item in value]
        if arrays:
            items = [item for item in items if item is not None]
        else:
            # What became empty keeps its place.
            pairs = zip(items, value, strict=True)
            items = [type(old)() if new is None and old is not None else new for new, old in pairs]
        return None if empty and not items else items
    return value


def made_object(keys: list[str | None], values: list[str]) -> str:
    """JSON_OBJECT; of two equal keys the first counts. Raises ValueError."""
    if len(keys) != len(values):
        raise ValueError("Invalid input to JSON_OBJECT: The number of keys and values must match")
    found: dict[str, Json] = {}
    for key, value in zip(keys, values, strict=True):
        if key is None:
            raise ValueError("Invalid input to JSON_OBJECT: A key cannot be NULL")
        found.setdefault(key, load(value))
    return dump(found)


LISTS = ("VARCHAR", "VARCHAR[]", "VARCHAR[]")
NATIVES = (
    Native("bq_json_object", made_object, LISTS[1:], "VARCHAR"),
    Native("bq_json_set", assigned, (*LISTS, "BOOLEAN"), "VARCHAR"),
    Native("bq_json_remove", removed, LISTS[:2], "VARCHAR"),
    Native("bq_json_array_append", appended, (*LISTS, "BOOLEAN[]"), "VARCHAR"),
    Native("bq_json_array_insert", inserted, (*LISTS, "BOOLEAN[]"), "VARCHAR"),
    Native("bq_json_strip_nulls", stripped, ("VARCHAR", "VARCHAR", "BOOLEAN", "BOOLEAN"), "VARCHAR"),
)

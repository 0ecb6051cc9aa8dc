"""JSONPath, and reading by it: one value at a path, the scalars and arrays there, "lax" paths through arrays."""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import chain

from embedded_bigquery.natives.json_values import Json, dump, load
from embedded_bigquery.natives.native import Native

Step = str | int
STEP = re.compile(
    r"""\.(?P<plain>[^.\["'\]*]+)|\."(?P<quoted>(?:[^"\\]|\\.)*)"|\[\s*(?P<index>\d+)\s*\]"""
    r"""|\[\s*'(?P<single>(?:[^'\\]|\\.)*)'\s*\]|\[\s*"(?P<double>(?:[^"\\]|\\.)*)"\s*\]"""
)


@lru_cache(maxsize=512)
def steps(path: str) -> tuple[Step, ...]:
    """Keys and positions of a JSONPath; raises ValueError."""
    if not path.startswith("$"):
        raise ValueError("JSONPath must start with '$'")
    found: list[Step] = []
    place = 1
    while place < len(path):
        match = STEP.match(path, place)
        if match is None:
            if "*" in path[place : place + 2]:
                raise ValueError("Unsupported operator in JSONPath: *")
            raise ValueError(f"Invalid token in JSONPath at: {path[place:]}")
        if match["index"] is not None:
            found.append(int(match["index"]))
        else:
            key = next(match[name] for name in ("plain", "quoted", "single", "double") if match[name] is not None)
            found.append(re.sub(r"\\(.)", r"\1", key))
        place = match.end()
    return tuple(found)


class Missing:
    """Nothing stands at the path."""


MISSING = Missing()


def get(value: Json, path: tuple[Step, ...]) -> Json:
    """The value at the path, or MISSING."""
    for step in path:
        if isinstance(step, str):
            if isinstance(value, dict) and step in value:
                value = value[step]
                continue
            return MISSING
        if not isinstance(value, list) or step >= len(value):
            return MISSING
        value = value[step]
    return value


def query(document: str, path: str) -> str | None:
    """JSON_QUERY by a path that may be "lax $.a" or "lax recursive $.a"."""
    mode, _, rest = path.rpartition(" ")
    if not mode or not mode.lower().startswith("lax"):
        found = get(load(document), steps(path))
        return None if found is MISSING else dump(found)
    recursive = "recursive" in mode.lower().split()
    return dump(_lax([load(document)], steps(rest), recursive))


def _lax(values: list[Json], path: tuple[Step, ...], recursive: bool) -> list[Json]:
    for step in path:
        if isinstance(step, int):
            # A value that is no array counts as an array of itself.
            wrapped = [value if isinstance(value, list) else [value] for value in values]
            values = [value[step] for value in wrapped if step < len(value)]
        else:
            opened = chain.from_iterable(_opened(value, recursive) for value in values)
            values = [value[step] for value in opened if isinstance(value, dict) and step in value]
    return values


def _opened(value: Json, recursive: bool) -> list[Json]:
    if not isinstance(value, list):
        return [value]
    return list(chain.from_iterable(_opened(item, True) for item in value)) if recursive else value


def keys(document: str, depth: int | None, mode: str) -> list[str]:
    """JSON_KEYS: the paths of all keys down to `depth`, sorted."""
    if depth is not None and depth <= 0:
        raise ValueError("max_depth must be positive.")
    if mode not in ("strict", "lax", "lax recursive"):
        raise ValueError("Invalid JSON mode specified")
    found: set[str] = set()
    _collect(load(document), "", depth, mode, found)
    return sorted(found)


def _collect(value: Json, prefix: str, depth: int | None, mode: str, found: set[str]) -> None:
    if isinstance(value, list) and mode != "strict":
        for item in value:
            if mode == "lax recursive" or not isinstance(item, list):
                _collect(item, prefix, depth, mode, found)
    if not isinstance(value, dict) or depth == 0:
        return
    for key, item in value.items():
        name = prefix + (key if re.fullmatch(r'[^."\\]+', key) else dump(key))
        found.add(name)
        _collect(item, f"{name}.", None if depth is None else depth - 1, mode, found)


def field(document: str, key: str) -> str | None:
    """json['key']"""
    found = get(load(document), (key,))
    return None if found is MISSING else dump(found)


def item(document: str, position: int) -> str | None:
    """json[position]"""
    found = get(load(document), (position,)) if position >= 0 else MISSING
    return None if found is MISSING else dump(found)


def scalar(document: str, path: str) -> str | None:
    """JSON_VALUE: the text of a scalar."""
    found = get(load(document), steps(path))
    if found is MISSING or found is None or isinstance(found, dict | list):
        return None
    return found if isinstance(found, str) else dump(found)


def flattened(document: str) -> list[str]:
    return [dump(value) for value in _opened(load(document), True)]


def contains(document: str, part: str) -> bool:
    return _contains(load(document), load(part))


def _contains(value: Json, part: Json) -> bool:
    if isinstance(part, dict):
        return isinstance(value, dict) and all(key in value and _contains(value[key], part[key]) for key in part)
    if isinstance(part, list):
        return isinstance(value, list) and all(any(_contains(item, wanted) for item in value) for wanted in part)
    return bool(value == part and isinstance(value, bool) == isinstance(part, bool))


def texts(document: str, scope: str) -> list[str]:
    """The keys and the scalars in a JSON value, as CONTAINS_SUBSTR searches them. Raises ValueError."""
    if scope not in ("JSON_VALUES", "JSON_KEYS", "JSON_KEYS_AND_VALUES"):
        raise ValueError(f"Invalid json_scope: {scope}")
    return _texts(load(document), "KEYS" in scope, "VALUES" in scope)


def _texts(value: Json, with_keys: bool, with_values: bool) -> list[str]:
    if isinstance(value, dict):
        nested = chain.from_iterable(_texts(item, with_keys, with_values) for item in value.values())
        return [*(value if with_keys else ()), *nested]
    if isinstance(value, list):
        return list(chain.from_iterable(_texts(item, with_keys, with_values) for item in value))
    if value is None or not with_values:
        return []
    return [value if isinstance(value, str) else dump(value)]


NATIVES = (
    Native("bq_json_texts", texts, ("VARCHAR", "VARCHAR"), "VARCHAR[]"),
    Native("bq_json_query", query, ("VARCHAR", "VARCHAR"), "VARCHAR"),
    Native("bq_json_value", scalar, ("VARCHAR", "VARCHAR"), "VARCHAR"),
    Native("bq_json_field", field, ("VARCHAR", "VARCHAR"), "VARCHAR"),
    Native("bq_json_item", item, ("VARCHAR", "BIGINT"), "VARCHAR"),
    Native("bq_json_keys", keys, ("VARCHAR", "BIGINT", "VARCHAR"), "VARCHAR[]", sees_null=True),
    Native("bq_json_flatten", flattened, ("VARCHAR",), "VARCHAR[]"),
    Native("bq_json_contains", contains, ("VARCHAR", "VARCHAR"), "BOOLEAN"),
)

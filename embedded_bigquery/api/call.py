"""One request and its answer, as every resource's functions take and give them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import wraps
from typing import Any, NamedTuple, TypeVar

from embedded_bigquery.api.shapes import Shape
from embedded_bigquery.catalog import Resource
from embedded_bigquery.engine import Engine
from embedded_bigquery.errors import EngineError, InvalidValue, PreconditionFailed
from embedded_bigquery.sql.environment import TablePath

T = TypeVar("T")
STATUSES = {
    400: "INVALID_ARGUMENT",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    409: "ALREADY_EXISTS",
    412: "FAILED_PRECONDITION",
    499: "CANCELLED",
    500: "INTERNAL",
}
CANCELLED = 499  # what getQueryResults answers for a job that was cancelled


class Answer(NamedTuple):
    """An HTTP response; `body` is JSON, None for no content. A Location header is a path on the same host."""

    status: int
    body: Any = None
    headers: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True)
class Call:
    """An HTTP request; `names` are the parts of the path that the route names."""

    names: Mapping[str, str]
    query: Mapping[str, str]
    content: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)  # lower-case names

    @property
    def project(self) -> str:
        return self.names["project"]

    @property
    def path(self) -> TablePath:
        """The table, routine or dataset that the path names."""
        name = self.names.get("table") or self.names.get("routine") or ""
        return TablePath(self.project, self.names["dataset"], name)

    def body(self, shape: Shape) -> Resource:
        """What the client sent, in its shape; raises InvalidValue."""
        try:
            found = json.loads(self.content or b"{}")
        except ValueError as error:
            raise InvalidValue(f"Parse Error: the request's body is not JSON: {error}") from error
        if not isinstance(found, dict):
            raise InvalidValue("Parse Error: the request's body is not a JSON object")
        return dict(shape(found, ""))

    def agree(self, reference: Mapping[str, Any]) -> None:
        """Raises InvalidValue when the body's reference is not to where the path leads."""
        for key, name in (("projectId", "project"), ("datasetId", "dataset")):
            asked, given = self.names.get(name), reference.get(key)
            if None not in (asked, given) and asked != given:
                raise InvalidValue(disagreement(str(given), str(asked)))

    def number(self, key: str, default: int) -> int:
        """A number of the query string; raises InvalidValue."""
        text = self.query.get(key)
        if text is None:
            return default
        if not text.isdecimal():
            raise InvalidValue(f"Invalid value for {key}: {text}")
        return int(text)

    def flag(self, key: str) -> bool:
        return self.query.get(key, "").lower() == "true"

    def check_etag(self, resource: Resource, etag: str | None = None) -> None:
        """Raises PreconditionFailed when the client has seen another version of the resource."""
        for seen in (self.headers.get("if-match"), etag):
            if seen not in (None, "", "*", resource["etag"]):
                raise PreconditionFailed("Precondition check failed.")


def disagreement(given: str, asked: str) -> str:
    return (
        f'Value "{given}" in content does not agree with value "{asked}". This can happen when a value set through '
        "a parameter is inconsistent with a value set in the request."
    )


Handler = Callable[[Engine, Call], Answer | Resource]
Routes = Mapping[str, Handler]  # "METHOD /path/{name}" -> what answers it


def alone(handler: Handler) -> Handler:
    """For what looks at a resource and changes it: no other change comes between."""

    @wraps(handler)
    def answer(engine: Engine, call: Call) -> Answer | Resource:
        with engine.catalog.alone():
            return handler(engine, call)

    return answer


def anew(handler: Handler) -> Handler:
    """For what reads rows or adds some: it is done again when their table was changed meanwhile."""
    return wraps(handler)(lambda engine, call: engine.catalog.anew(lambda: handler(engine, call)))


def failure(error: EngineError) -> Answer:
    """The API's error response."""
    status = CANCELLED if error.status == 200 else error.status
    item = {"domain": "global", **error.proto()}
    body = {"code": status, "message": error.message, "errors": [item], "status": STATUSES.get(status, "UNKNOWN")}
    return Answer(status, {"error": body})


def page(items: Sequence[T], call: Call, key: Callable[[T], str], size: int = 1_000) -> tuple[Sequence[T], Resource]:
    """The items that the call asks for, and the token of the next page if there is one.

    They are in the order of their keys, and a token says where a page ends: what comes or goes meanwhile, as when
    each table is deleted as it is listed, makes no item appear twice or never.
    """
    after = call.query.get("pageToken", "").removeprefix("after-")
    rest = [item for item in items if key(item) > after]
    found = rest[: call.number("maxResults", size) or size]
    return found, ({"nextPageToken": f"after-{key(found[-1])}"} if len(found) < len(rest) else {})


def page_token(start: int) -> str:
    return f"from-{start}"


def token_start(token: str | None) -> int:
    """The position that a page token means; raises InvalidValue."""
    if not token:
        return 0
    text = token.removeprefix("from-")
    if not text.isdecimal():
        raise InvalidValue(f"Invalid page token: {token}")
    return int(text)


def merged(old: Resource, new: Resource) -> Resource:
    """PATCH: null takes a key away, objects are merged, everything else is replaced."""
    result = dict(old)
    for key, value in new.items():
        if value is None:
            result.pop(key, None)
        elif isinstance(value, dict) and isinstance(old.get(key), dict):
            result[key] = merged(old[key], value)
        else:
            result[key] = value
    return result


def without_nulls(resource: Resource) -> Resource:
    return {key: value for key, value in resource.items() if value is not None}


def has_labels(resource: Resource, text: str | None) -> bool:
    """Whether the resource passes a list's filter: `labels.key`, `labels.key:value`, several with a space between."""
    labels = resource.get("labels") or {}
    for part in (text or "").split():
        key, _, value = part.removeprefix("labels.").partition(":")
        if key not in labels or (value and labels[key] != value):
            return False
    return True

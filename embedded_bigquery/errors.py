"""Errors in BigQuery's own shape: a reason, an HTTP status, a message, sometimes a place.

    EngineError                 (never raised itself)
    ├── InvalidQuery            400 invalidQuery    the statement is wrong, or failed while it ran
    │   └── NotSupported        400 invalidQuery    "not supported: <construct>": the engine's limit, not the user's
    ├── InvalidValue            400 invalid         a request's field is wrong
    │   └── WrongKind           400 invalid         a view where a table is wanted, or the other way round
    ├── ResourceInUse           400 resourceInUse   a dataset that is not empty
    ├── NotFound                404 notFound
    ├── AccessDenied            403 accessDenied
    ├── Duplicate               409 duplicate
    ├── PreconditionFailed      412 conditionNotMet an etag does not match
    ├── Stopped                 200 stopped         the job was cancelled
    └── BytesBilledExceeded     400 bytesBilledLimitExceeded

Source: "Error messages", docs.cloud.google.com/bigquery/docs/error-messages.
"""

from __future__ import annotations

from typing import Any, ClassVar


class EngineError(Exception):
    """Base of all errors that the engine reports to a client."""

    reason: ClassVar[str]
    status: ClassVar[int] = 400

    def __init__(self, message: str, *, at: tuple[int, int] | None = None) -> None:
        """`at` is (line, column), both from 1, in the text of the job; it is appended as `at [line:column]`."""
        super().__init__(message)
        self.bare_message = message
        self.at = at

    @property
    def message(self) -> str:
        return self.bare_message if self.at is None else f"{self.bare_message} at [{self.at[0]}:{self.at[1]}]"

    def __str__(self) -> str:
        return self.message

    def proto(self) -> dict[str, Any]:
        """The API's ErrorProto."""
        proto = {"reason": self.reason, "message": self.message}
        if self.reason == "invalidQuery":
            proto["location"] = "query"
        return proto


class InvalidQuery(EngineError):
    reason = "invalidQuery"


class NotSupported(InvalidQuery):
    """What BigQuery can do and this engine cannot: refused by name, never answered wrongly."""

    def __init__(self, construct: str, *, at: tuple[int, int] | None = None) -> None:
        super().__init__(f"not supported: {construct}", at=at)


class InvalidValue(EngineError):
    reason = "invalid"


class WrongKind(InvalidValue):
    def __init__(self, name: object, kind: str, *, at: tuple[int, int] | None = None) -> None:
        """`kind` is what `name` is: TABLE, VIEW, MATERIALIZED_VIEW or SNAPSHOT."""
        super().__init__(f"{name} is not allowed for this operation because it is currently a {kind}.", at=at)


class ResourceInUse(EngineError):
    reason = "resourceInUse"


class NotFound(EngineError):
    reason = "notFound"
    status = 404


class AccessDenied(EngineError):
    reason = "accessDenied"
    status = 403


class Duplicate(EngineError):
    reason = "duplicate"
    status = 409


class PreconditionFailed(EngineError):
    reason = "conditionNotMet"
    status = 412


class Stopped(EngineError):
    reason = "stopped"
    status = 200


class BytesBilledExceeded(EngineError):
    reason = "bytesBilledLimitExceeded"

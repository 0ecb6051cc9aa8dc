"""What one statement can refer to: variables of its frame, parameters, system variables, and the session's tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from embedded_bigquery.catalog import path_of
from embedded_bigquery.script.scope import Frame
from embedded_bigquery.script.session import Session
from embedded_bigquery.sql.environment import Bind, Relation, Routine
from embedded_bigquery.types import INT64, STRING, TIMESTAMP, Type, array_of, struct_of
from embedded_bigquery.values import to_duckdb

STACK = array_of(struct_of(("line", INT64), ("column", INT64), ("filename", STRING), ("location", STRING)))
SYSTEM_VARIABLES = {
    "row_count": INT64,
    "error.message": STRING,
    "error.statement_text": STRING,
    "error.formatted_stack_trace": STRING,
    "error.stack_trace": STACK,
    "current_job_id": STRING,
    "last_job_id": STRING,
    "project_id": STRING,
    "dataset_id": STRING,
    "dataset_project_id": STRING,
    "query_label": STRING,
    "time_zone": STRING,
    "session_id": STRING,
    "script.job_id": STRING,
    "script.bytes_processed": INT64,
    "script.bytes_billed": INT64,
    "script.slot_ms": INT64,
    "script.num_child_jobs": INT64,
    "script.creation_time": TIMESTAMP,
}
SETTABLE = {"time_zone", "query_label", "dataset_id", "dataset_project_id"}
Parameters = Mapping[str | int, tuple[Type, Any]]


class Names:
    """The Environment of a statement, and the values behind its names."""

    def __init__(
        self,
        session: Session,
        frame: Frame,
        parameters: Parameters,
        system: Mapping[str, Any],
        time_zone: str | None = None,
    ) -> None:
        """`time_zone`: in place of @@time_zone."""
        self.session, self.frame, self.parameters, self.system = session, frame, parameters, system
        self._time_zone = time_zone

    def within_zone(self, time_zone: str) -> Names:
        """The same names, with the zone as default."""
        return Names(self.session, self.frame, self.parameters, self.system, time_zone)

    @property
    def project(self) -> str:
        return self.session.catalog.project

    @property
    def default_dataset(self) -> str | None:
        dataset: str | None = self.session.settings["dataset_id"]
        return dataset

    @property
    def time_zone(self) -> str:
        return self._time_zone or self.session.time_zone

    @property
    def location(self) -> str:
        return self.session.catalog.location

    def relation(self, parts: tuple[str, ...]) -> Relation | None:
        return self.session.relation(parts)

    def wildcard(self, parts: tuple[str, ...]) -> list[Relation]:
        path = self.session.path(parts)
        if path is None:
            return []
        catalog, prefix = self.session.catalog, path.name.removesuffix("*")
        found = [
            resource
            for resource in catalog.tables(path.project, path.dataset)
            if resource["type"] == "TABLE" and path_of(resource).name.startswith(prefix)
        ]
        found.sort(key=lambda resource: int(resource.get("creationTime", 0)))
        relations = [catalog.relation(path_of(resource)) for resource in found]
        return [relation for relation in relations if relation is not None]

    def routine(self, parts: tuple[str, ...]) -> Routine | None:
        return self.session.routine(parts)

    def variable(self, name: str) -> Type | None:
        found = self.frame.find(name)
        return None if found is None else found.type

    def system_variable(self, name: str) -> Type | None:
        return SYSTEM_VARIABLES.get(name)

    def parameter(self, name: str | int) -> Type | None:
        found = self.parameters.get(name)
        return None if found is None else found[0]

    def type(self, bind: Bind) -> Type | None:
        """The type that the name has now."""
        if bind.kind == "VARIABLE":
            return self.variable(str(bind.name))
        return self.parameter(bind.name) if bind.kind == "PARAMETER" else self.system_variable(str(bind.name))

    def value(self, bind: Bind) -> Any:
        """What to bind for a name that the translation left open."""
        if bind.kind == "VARIABLE":
            variable = self.frame.find(str(bind.name))
            assert variable is not None
            return to_duckdb(variable.value, bind.type)
        if bind.kind == "PARAMETER":
            return to_duckdb(self.parameters[bind.name][1], bind.type)
        name = str(bind.name)
        if name == "time_zone":
            return self.time_zone
        return to_duckdb(self.system[name] if name in self.system else self.session.settings.get(name), bind.type)

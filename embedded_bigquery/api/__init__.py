"""BigQuery's REST API, version 2: one function for each method, routed by a table."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping

from embedded_bigquery.api import datasets, jobs, projects, queries, routines, streaming, tabledata, tables, uploads
from embedded_bigquery.api.call import Answer, Call, Handler, failure
from embedded_bigquery.engine import Engine
from embedded_bigquery.errors import EngineError, NotFound
from embedded_bigquery.jobs import EngineFailure

logger = logging.getLogger(__name__)

# Some clients leave the version out when BIGQUERY_EMULATOR_HOST says where the API is.
PREFIX = re.compile(r"(?:/resumable)?(/upload)?(?:/bigquery/v2)?(/projects.*)")
MODULES = (queries, jobs, uploads, tables, tabledata, streaming, routines, datasets, projects)


class Api:
    """Answers requests; safe to call from many threads."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._routes: list[tuple[str, re.Pattern[str], Handler]] = []
        for module in MODULES:
            for route, handler in module.ROUTES.items():
                method, path = route.split(" ")
                self._routes.append((method, re.compile(re.sub(r"{(\w+)}", r"(?P<\1>[^/]+)", path)), handler))

    def handle(
        self,
        method: str,
        path: str,
        query: Mapping[str, str],
        content: bytes = b"",
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """`path` begins at the host's root and is unquoted. Every failure is an answer in BigQuery's own form."""
        try:
            handler, names = self._route(method, path)
            given = {name.lower(): value for name, value in (headers or {}).items()}
            answer = handler(self.engine, Call(names, query, content, given))
        except EngineError as error:
            return failure(error)
        except Exception as error:
            logger.exception("%s %s failed unexpectedly", method, path)
            return failure(EngineFailure(error))
        return answer if isinstance(answer, Answer) else Answer(200, answer)

    def _route(self, method: str, path: str) -> tuple[Handler, dict[str, str]]:
        inside = PREFIX.fullmatch(path)
        if inside is not None:
            local = (inside[1] or "") + inside[2]
            for known, pattern, handler in self._routes:
                if known == method and (match := pattern.fullmatch(local)) is not None:
                    return handler, match.groupdict()
        raise NotFound(f"Not found: the embedded engine has no method {method} {path}")

    def close(self) -> None:
        self.engine.close()

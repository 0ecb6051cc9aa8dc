"""A requests adapter that answers the client's HTTP calls in process: no socket is ever opened."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, unquote, urlsplit

import requests
from google.auth.credentials import AnonymousCredentials
from google.auth.transport.requests import AuthorizedSession
from requests.adapters import BaseAdapter

if TYPE_CHECKING:
    from embedded_bigquery.api import Api

SCHEME = "embedded-bigquery://"
ENDPOINT = f"{SCHEME}local"


class InProcessAdapter(BaseAdapter):
    """Hands a prepared request to the API and wraps its answer as an HTTP response; owns the API."""

    def __init__(self, api: Api) -> None:
        super().__init__()
        self._api = api

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: float | tuple[float | None, float | None] | None = None,
        verify: bool | str = True,
        cert: bytes | str | tuple[bytes | str, bytes | str] | None = None,
        proxies: Mapping[str, str] | None = None,
    ) -> requests.Response:
        url = urlsplit(request.url or "")
        content = request.body or b""
        if isinstance(content, str):
            content = content.encode()
        assert isinstance(content, bytes), "the client sends no streams"
        headers = {name: str(value) for name, value in request.headers.items()}
        method, query = request.method or "GET", dict(parse_qsl(url.query))
        answer = self._api.handle(method, unquote(url.path), query, content, headers)
        response = requests.Response()
        response.status_code = answer.status
        response.headers.update(answer.headers)
        response.headers["Content-Type"] = "application/json; charset=UTF-8"
        if response.headers.get("Location", "").startswith("/"):
            response.headers["Location"] = ENDPOINT + response.headers["Location"]
        response.encoding = "utf-8"
        response.raw = io.BytesIO(b"" if answer.body is None else json.dumps(answer.body).encode())
        response.url = request.url or ""
        response.request = request
        return response

    def close(self) -> None:
        self._api.close()


def session(api: Api) -> requests.Session:
    """A session that can reach the engine and nothing else; closing it closes the engine."""
    made = AuthorizedSession(AnonymousCredentials())  # type: ignore[no-untyped-call]
    made.trust_env = False
    made.adapters.clear()
    made.mount(SCHEME, InProcessAdapter(api))
    return made

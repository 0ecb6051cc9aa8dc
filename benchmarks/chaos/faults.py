"""A layer on the client's transport that makes calls fail, before or after they took effect."""

from __future__ import annotations

import json
import random
import threading
from collections import Counter
from typing import Any

import requests
from google.cloud import bigquery
from requests.adapters import BaseAdapter
from requests.exceptions import ConnectionError as Reset
from requests.exceptions import ReadTimeout

ANSWERS = {
    "503": (503, "backendError", "Error encountered during execution. Retrying may solve the problem."),
    "429": (429, "rateLimitExceeded", "Exceeded rate limits: too many api requests per user per method."),
    "403": (403, "rateLimitExceeded", "Exceeded rate limits: too many concurrent queries for this project."),
}
KINDS = (*ANSWERS, "reset", "time-out", "truncated")


class FaultyAdapter(BaseAdapter):
    """Of each call a seeded random number says whether it fails, how, and whether the server saw it."""

    def __init__(self, inner: BaseAdapter, seed: int, share: float) -> None:
        super().__init__()
        self._inner = inner
        self._random = random.Random(seed)
        self._share = share
        self._lock = threading.Lock()
        self.calls = 0
        self.injected: Counter[tuple[str, str]] = Counter()  # by kind, and "before" or "after"

    def send(self, request: requests.PreparedRequest, *arguments: Any, **options: Any) -> requests.Response:
        with self._lock:
            self.calls += 1
            fails = self._random.random() < self._share
            kind = self._random.choice(KINDS)
            # An answer that is cut off is the answer to something that was done.
            when = "after" if kind == "truncated" or self._random.random() < 0.5 else "before"
            if fails:
                self.injected[kind, when] += 1
        if not fails:
            return self._inner.send(request, *arguments, **options)
        answer = self._inner.send(request, *arguments, **options) if when == "after" else requests.Response()
        if kind == "reset":
            raise Reset(ConnectionResetError(104, "Connection reset by peer"), request=request)
        if kind == "time-out":
            raise ReadTimeout("Read timed out.", request=request)
        if kind == "truncated":
            answer._content = answer.content[: len(answer.content) // 2]
            return answer
        status, reason, message = ANSWERS[kind]
        error = {"code": status, "message": message, "errors": [{"reason": reason, "message": message}]}
        failed = requests.Response()
        failed.status_code, failed.url, failed.request = status, request.url or "", request
        failed.headers["Content-Type"] = "application/json"
        failed._content = json.dumps({"error": error}).encode()
        return failed

    def close(self) -> None:
        self._inner.close()


def make_faulty(client: bigquery.Client, seed: int, share: float) -> FaultyAdapter:
    """From now on so many of the client's calls fail."""
    session = client._http
    [(prefix, inner)] = [(prefix, inner) for prefix, inner in session.adapters.items() if prefix != "http://"][:1]
    made = FaultyAdapter(inner, seed, share)
    session.adapters[prefix] = made
    return made


def make_sound(client: bigquery.Client) -> None:
    session = client._http
    for prefix, adapter in list(session.adapters.items()):
        if isinstance(adapter, FaultyAdapter):
            session.adapters[prefix] = adapter._inner

"""The same API over HTTP, for clients of any language: on this machine alone unless it is told otherwise."""

from __future__ import annotations

import gzip
import ipaddress
import json
import signal
import sys
import threading
import zlib
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socket import SHUT_RD, socket
from typing import Any, BinaryIO, cast
from urllib.parse import parse_qsl, unquote, urlsplit

from embedded_bigquery.api import Api
from embedded_bigquery.api.call import Answer, failure
from embedded_bigquery.engine import Engine
from embedded_bigquery.errors import AccessDenied, EngineError, InvalidValue

PORT = 9050


class RemoteHost(AccessDenied):
    """The address can be reached from other machines, and the API asks nobody who they are."""


class Server(ThreadingHTTPServer):
    """One thread a connection; a connection takes one request after another. Use it in a `with`."""

    daemon_threads = False  # the end waits for them
    api: Api

    def __init__(self, host: str = "127.0.0.1", port: int = PORT, *, allow_remote: bool = False) -> None:
        """Takes the port, 0 for any; raises RemoteHost, or OSError when the port cannot be had."""
        if not allow_remote and not is_loopback(host):
            raise RemoteHost(f"{host} can be reached from other machines, whose users may then read and change all")
        super().__init__((host, port), _Request)
        self.keeps_local = not allow_remote
        self._connections: set[socket] = set()
        self.address = f"http://{host}:{self.server_port}"

    def open(self, path: str | Path | None, project: str, location: str) -> None:
        """The warehouse to serve; raises DatabaseLocked."""
        self.api = Api(Engine(path, project, location))

    def serve(self, on_ready: Callable[[str], None]) -> None:
        """Answers until SIGTERM or SIGINT, then gives the file free; `on_ready` gets the address.

        For the main thread.
        """
        stop = threading.Event()
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, lambda *_: stop.set())
        thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, name="server")
        thread.start()
        try:
            on_ready(self.address)
            stop.wait()
        finally:
            self.shutdown()
            thread.join()
            # No connection brings another request; what is being answered gets its answer.
            for connection in list(self._connections):
                with suppress(OSError):
                    connection.shutdown(SHUT_RD)
            self.api.close()

    def get_request(self) -> tuple[socket, Any]:
        connection, address = super().get_request()
        self._connections.add(connection)
        return connection, address

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that leaves before its answer is no error of the server's."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)

    def close_request(self, request: Any) -> None:
        self._connections.discard(request)
        super().close_request(request)


def is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


class _Request(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # else the body of an answer waits for the receipt of its head
    timeout = 600  # seconds that an idle connection is kept

    def do_GET(self) -> None:
        server = cast("Server", self.server)
        url = urlsplit(self.path)
        try:
            if server.keeps_local:
                self._refuse_web_pages()
            content = self._content()
        except EngineError as error:
            self.close_connection = True  # what is left of the request is not the next one
            self._send(failure(error))
            return
        # Java's client cannot send PATCH.
        method = self.headers.get("X-HTTP-Method-Override", self.command)
        headers = {name: str(value) for name, value in self.headers.items()}
        self._send(server.api.handle(method, unquote(url.path), dict(parse_qsl(url.query)), content, headers))

    do_POST = do_PUT = do_PATCH = do_DELETE = do_GET

    def _refuse_web_pages(self) -> None:
        """A browser lets any web page send requests to this machine, and names the page; raises RemoteHost."""
        name = urlsplit(f"//{self.headers.get('Host', '')}").hostname or ""
        origin = self.headers.get("Origin")
        if origin is not None or not is_loopback(name):
            raise RemoteHost(f"This server answers programs of its own machine alone, not {origin or name}")

    def _content(self) -> bytes:
        """Raises InvalidValue."""
        stream = cast("BinaryIO", self.rfile)
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            content = b"".join(_chunks(stream))
        else:
            length = self.headers.get("Content-Length", "0")
            if not length.isdecimal():
                raise InvalidValue(f"Invalid Content-Length: {length}")
            content = stream.read(int(length))
            if len(content) < int(length):
                raise InvalidValue(f"The request's body ended after {len(content)} of {length} bytes")
        encoding = self.headers.get("Content-Encoding", "identity").lower()
        if encoding == "gzip":
            try:
                return gzip.decompress(content)
            except (OSError, EOFError, zlib.error) as error:
                raise InvalidValue(f"The request's body is not gzip: {error}") from error
        if encoding != "identity":
            raise InvalidValue(f"Content-Encoding {encoding} is not known here; known: gzip, identity")
        return content

    def _send(self, answer: Answer) -> None:
        content = b"" if answer.body is None else json.dumps(answer.body).encode()
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            is_path = name == "Location" and value.startswith("/")
            self.send_header(name, f"http://{self.headers['Host']}{value}" if is_path else value)
        if answer.body is not None:
            self.send_header("Content-Type", "application/json; charset=UTF-8")
        if answer.status != 204:  # which has no body by definition
            self.send_header("Content-Length", str(len(content)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        """One line a request would drown what the command says."""


def _chunks(stream: BinaryIO) -> list[bytes]:
    """The pieces of a chunked body; raises InvalidValue."""
    found = []
    while True:
        line = stream.readline(1_000)
        try:
            size = int(line.partition(b";")[0], 16)
        except ValueError as error:
            raise InvalidValue("Malformed chunked body") from error
        if size == 0:
            break
        found.append(stream.read(size))
        stream.readline(3)
    while stream.readline(10_000).strip():  # trailers
        pass
    return found

"""GoogleSQL's own analyzer: Google's C++ compiled to WebAssembly, which the package `zetasql` carries.

That package's Python layer takes a second to import and copies each answer byte by byte; this one talks to the same
module by the messages that it understands.
"""

from __future__ import annotations

import ctypes
import fcntl
import re
import sys
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import tzdata
import wasmtime
from zetasql.wasi import get_wasm_path
from zetasql.wasi._pb2.zetasql.local_service import local_service_pb2 as service
from zetasql.wasi._pb2.zetasql.proto import options_pb2 as options
from zetasql.wasi._pb2.zetasql.proto import simple_catalog_pb2 as catalogs
from zetasql.wasi._pb2.zetasql.public import options_pb2 as public

from deployer.check.cache import cache_folder, write_whole

if TYPE_CHECKING:
    from collections.abc import Iterator

ADDED = (
    *("ALTER_COLUMN_SET_DATA_TYPE", "CLONE_DATA", "CREATE_TABLE_CLONE", "CREATE_VIEWS_WITH_COLUMN_OPTIONS"),
    *("ENABLE_ALTER_ARRAY_OPTIONS", "NON_SQL_PROCEDURE", "V_1_3_COLLATION_SUPPORT", "V_1_4_DISABLE_FLOAT32"),
    *("V_1_4_LIKE_ANY_SOME_ALL_ARRAY", "V_1_4_LIKE_ANY_SOME_ALL_SUBQUERY"),
)
# What BigQuery lacks; each feature also costs time in every call.
REMOVED = re.compile("PROTO|SQL_GRAPH|TIMESTAMP_NANOS|TIMESTAMP_PICOS|UUID|MODULES|GRAPH_PATH|TOKENIZED")


@dataclass(frozen=True, slots=True)
class Refusal(Exception):
    """What GoogleSQL says against a text; line and column count from 1, 0 when it does not say where."""

    message: str
    line: int = 0
    column: int = 0


class GoogleSql:
    """One instance of the analyzer; not for use by two threads at once."""

    def __init__(self) -> None:
        config = wasmtime.Config()
        config.shared_memory = True
        self._engine = wasmtime.Engine(config)
        self._module = compiled_module(self._engine)
        self._start()
        self.language = self._language()

    def _start(self) -> None:
        self._store = wasmtime.Store(self._engine)
        wasi = wasmtime.WasiConfig()
        zones = Path(tzdata.__file__).parent / "zoneinfo"
        wasi.preopen_dir(str(zones), "/usr/share/zoneinfo")
        self._store.set_wasi(wasi)
        linker = wasmtime.Linker(self._engine)
        linker.define_wasi()
        exports: Any = linker.instantiate(self._store, self._module).exports(self._store)
        exports["_initialize"](self._store)
        self._exports = exports
        self._memory: Any = exports["memory"]

    def _language(self) -> options.LanguageOptionsProto:
        request = service.LanguageOptionsRequest(maximum_features=True)
        language: Any = self._call("GetLanguageOptions", request, options.LanguageOptionsProto)
        names = {number: name for name, number in public.LanguageFeature.items()}
        features = [one for one in language.enabled_language_features if not REMOVED.search(names[one])]
        features += [public.LanguageFeature.Value(f"FEATURE_{name}") for name in ADDED]
        language.ClearField("enabled_language_features")
        language.enabled_language_features.extend(features)
        language.ClearField("supported_statement_kinds")  # none named: all
        language.product_mode = public.PRODUCT_EXTERNAL
        language.name_resolution_mode = public.NAME_RESOLUTION_DEFAULT
        language.reserved_keywords.extend(("QUALIFY", "MATCH_RECOGNIZE"))
        return language

    def parse(self, text: str) -> Any:
        """The syntax tree of a script; raises Refusal."""
        request = service.ParseRequest(sql_statement=text, options=self.language, allow_script=True)
        return self._call("Parse", request, service.ParseResponse).parsed_script

    def register(self, catalog: catalogs.SimpleCatalogProto) -> int:
        """Makes a catalog known; the number that it goes by from then on."""
        request = service.RegisterCatalogRequest(simple_catalog=catalog)
        return int(self._call("RegisterCatalog", request, service.RegisterResponse).registered_id)

    def unregister(self, catalog: int) -> None:
        request = service.UnregisterRequest(registered_id=catalog)
        self._call("UnregisterCatalog", request, service.RegisterResponse)

    def analyze(self, statement: str, catalog: int, analyzer_options: options.AnalyzerOptionsProto) -> Any:
        """The resolved statement; raises Refusal."""
        request = service.AnalyzeRequest(
            sql_statement=statement, registered_catalog_id=catalog, options=analyzer_options
        )
        return self._call("Analyze", request, service.AnalyzeResponse).resolved_statement

    def _call(self, name: str, request: Any, reply: Any) -> Any:
        store, exports = self._store, self._exports
        data = request.SerializeToString()
        given, size = exports["wasm_malloc"](store, len(data) or 1), exports["wasm_malloc"](store, 4)
        ctypes.memmove(self._address + given, data, len(data))
        try:
            answer = exports[f"ZetaSqlLocalService_{name}"](store, given, len(data), size)
        except wasmtime.Trap as trap:
            self._start()  # an instance that has trapped cannot be used again
            dead = Trapped(f"GoogleSQL's analyzer broke down: {trap.message.splitlines()[-1]}")
            dead.is_dead = True
            raise dead from trap
        try:
            if not answer:
                raise _refusal(
                    self._read(exports["wasm_get_last_error"](store), exports["wasm_get_last_error_size"](store))
                )
            content = self._read(answer, int.from_bytes(self._read(size, 4), "little"))
            exports["wasm_free"](store, answer)
            return reply.FromString(content)
        finally:
            exports["wasm_free"](store, given)
            exports["wasm_free"](store, size)

    @property
    def _address(self) -> int:
        return ctypes.addressof(self._memory.data_ptr().contents)

    def _read(self, at: int, size: int) -> bytes:
        return ctypes.string_at(self._address + at, size)


@cache
def instance() -> GoogleSql:
    """The one of this process: starting another takes a tenth of a second and some tens of megabytes."""
    return GoogleSql()


class Trapped(Exception):
    """The analyzer died of a text, or contradicts itself; `is_dead`: catalogs that were registered before are gone."""

    is_dead = False


def _refusal(error: bytes) -> Refusal | Trapped:
    text = error.decode("utf-8", "replace")
    message = re.sub(r"^Code: \d+, Message: ", "", text)
    place = re.search(r" \[at (\d+):(\d+)\]", message)
    if "ZETASQL_RET_CHECK" in message:
        return Trapped(f"GoogleSQL's analyzer contradicts itself: {message}")
    if place is None:
        return Refusal(message)
    return Refusal(message[: place.start()] + message[place.end() :], int(place[1]), int(place[2]))


def compiled_module(engine: wasmtime.Engine) -> wasmtime.Module:
    """The compiled module; compiling takes half a minute and a gigabyte, so that is done once a user and version."""
    name = f"zetasql-{version('zetasql')}-wasmtime-{version('wasmtime')}.cwasm"
    folder = cache_folder()
    file = folder / name
    with suppress(wasmtime.WasmtimeError, OSError):
        return wasmtime.Module.deserialize_file(engine, str(file))
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError:
        return wasmtime.Module.from_file(engine, str(get_wasm_path()))
    with _alone(folder / f"{name}.lock"):
        with suppress(wasmtime.WasmtimeError, OSError):
            return wasmtime.Module.deserialize_file(engine, str(file))  # another process was faster
        print("Compiling GoogleSQL's analyzer for this machine, once: half a minute.", file=sys.stderr)
        module = wasmtime.Module.from_file(engine, str(get_wasm_path()))
        with suppress(OSError):
            write_whole(file, module.serialize())
        return module


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield

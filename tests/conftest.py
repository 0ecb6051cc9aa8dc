"""What the processes of the tests have in common, and Google's own parser for a second opinion on GoogleSQL."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import wasmtime
from zetasql.api import Parser
from zetasql.core import wasm_client
from zetasql.types import LanguageOptions

HERE = Path(__file__).parent


def prepare_processes() -> None:
    """Of this process, its workers and every command that a test starts: the runtime's packages, and bytecode.

    Without bytecode, which the environment may forbid beside the sources, a command takes twice as long to start.
    """
    runtime, bytecode = str(HERE / "runtime"), str(HERE.parent / ".pytest_cache" / "bytecode")
    sys.path.insert(0, runtime)
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (runtime, os.environ.get("PYTHONPATH"))))
    if os.environ.pop("PYTHONDONTWRITEBYTECODE", None):
        os.environ["PYTHONPYCACHEPREFIX"] = sys.pycache_prefix = bytecode
        sys.dont_write_bytecode = False


prepare_processes()


class Compiled:
    """Of wasmtime's Module what zetasql uses, taken from the cache that `deployer check` keeps."""

    @staticmethod
    def from_file(engine: wasmtime.Engine, path: str) -> wasmtime.Module:
        from deployer.check.googlesql import compiled_module

        return compiled_module(engine)


@pytest.fixture(scope="session")
def googlesql() -> Iterator[Parser]:
    """Compiled once a user, which takes half a minute."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(wasm_client, "Module", Compiled)
        options = LanguageOptions.maximum_features()
        options.reserved_keywords.append("QUALIFY")
        yield Parser(options)

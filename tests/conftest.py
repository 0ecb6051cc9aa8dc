"""Google's own parser, for every test that needs a second opinion on GoogleSQL."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import wasmtime
from zetasql.api import Parser
from zetasql.core import wasm_client
from zetasql.types import LanguageOptions


def cached() -> wasmtime.Config:
    config = wasmtime.Config()
    config.cache = True
    return config


@pytest.fixture(scope="session")
def googlesql() -> Iterator[Parser]:
    """Compiled once a machine, which takes 15 seconds; each process after that takes it from wasmtime's cache."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(wasm_client, "Config", cached)
        options = LanguageOptions.maximum_features()
        options.reserved_keywords.append("QUALIFY")
        yield Parser(options)

"""gs:// on this machine: `gs://bucket/name` is the file `bucket/name` in one folder."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path

from embedded_bigquery.errors import InvalidValue, NotFound, NotSupported

VARIABLE = "BIGQUERY_EMBEDDED_GCS"  # the environment variable that names the folder
URI = re.compile(r"gs://(?P<bucket>[^/*]+)/(?P<name>[^*]*\*?[^*]*)")
FIRST = "000000000000"  # what stands for the * of an extract's first file


class Buckets:
    def __init__(self) -> None:
        folder = os.environ.get(VARIABLE)
        self._folder = None if not folder else Path(folder).resolve()

    def sources(self, uris: Iterable[str]) -> list[Path]:
        """The files that the URIs mean, each with at most one *; raises InvalidValue, NotFound."""
        found = []
        for uri in uris:
            bucket, name = self._parts(uri)
            before, star, after = name.partition("*")
            pattern = re.compile(re.escape(before) + (".*" if star else "") + re.escape(after), re.DOTALL)
            files = (file for file in sorted(bucket.rglob("*")) if file.is_file())
            matching = [file for file in files if pattern.fullmatch(file.relative_to(bucket).as_posix())]
            if not matching:
                raise NotFound(f"Not found: URI {uri}")
            found += matching
        return found

    def target(self, uri: str) -> Path:
        """The file to write, whose folder is there then; raises InvalidValue, NotFound for a bucket."""
        bucket, name = self._parts(uri)
        if not bucket.is_dir():
            raise NotFound(f"Not found: bucket of {uri}; make the folder {bucket}")
        file = bucket / name.replace("*", FIRST)
        file.parent.mkdir(parents=True, exist_ok=True)
        return file

    def _parts(self, uri: str) -> tuple[Path, str]:
        parts = URI.fullmatch(uri)
        if parts is None:
            raise InvalidValue(f"Invalid URI: {uri}; write gs://bucket/name, with one * at most")
        if self._folder is None:
            raise NotSupported(f"{uri} without a folder that stands for gs://; set {VARIABLE} to one")
        bucket, name = self._folder / parts["bucket"], parts["name"]
        if ".." in (parts["bucket"], *name.split("/")) or not name or name.startswith("/"):
            raise InvalidValue(f"Invalid URI: {uri}")
        return bucket, name

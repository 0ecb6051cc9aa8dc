"""Load jobs with their file: multipart uploads, and resumable ones in pieces."""

from __future__ import annotations

import json
import re
import uuid
from pathlib import Path

from embedded_bigquery.api import shapes
from embedded_bigquery.api.call import Answer, Call, Routes
from embedded_bigquery.api.jobs import first_answer, start
from embedded_bigquery.catalog import Resource
from embedded_bigquery.engine import Engine
from embedded_bigquery.errors import InvalidValue, NotFound

CONTENT_RANGE = re.compile(r"bytes (?:(?P<start>\d+)-(?P<end>\d+)|\*)/(?P<total>\d+|\*)")
UPLOAD_ID = re.compile(r"[0-9a-f]{32}")
RESUME = 308


def insert(engine: Engine, call: Call) -> Answer | Resource:
    kind = call.query.get("uploadType")
    if kind == "multipart":
        job, content = _parts(call.content)
        file = engine.uploads() / uuid.uuid4().hex
        file.write_bytes(content)
        return first_answer(start(engine, call.project, job, file))
    if kind == "resumable":
        id = uuid.uuid4().hex
        file = engine.uploads() / id
        file.touch()
        _description(file).write_text(json.dumps(call.body(shapes.anything)))
        location = f"/upload/bigquery/v2/projects/{call.project}/jobs?uploadType=resumable&upload_id={id}"
        return Answer(200, {}, {"Location": location})
    raise InvalidValue(f"Invalid uploadType: {kind}; known: multipart, resumable")


def _parts(content: bytes) -> tuple[Resource, bytes]:
    """The job and the file of a multipart/related body; raises InvalidValue."""
    line_end = content.find(b"\r\n")
    separator = b"\r\n" + content[:line_end]
    head, _, rest = content[line_end:].partition(separator)
    description = head.partition(b"\r\n\r\n")[2]
    file = rest.partition(b"\r\n\r\n")[2]
    end = file.rfind(separator)
    if line_end < 0 or not description or end < 0:
        raise InvalidValue("Malformed multipart body: two parts were expected, the job and its file")
    try:
        job = json.loads(description)
    except ValueError as error:
        raise InvalidValue(f"Parse Error: the first part of the body is not JSON: {error}") from error
    return job, file[:end]


def _description(file: Path) -> Path:
    return file.with_suffix(".job.json")


def resume(engine: Engine, call: Call) -> Answer | Resource:
    """Takes the next piece; starts the job with the last one."""
    id = call.query.get("upload_id", "")
    file = engine.uploads() / id
    if not UPLOAD_ID.fullmatch(id) or not _description(file).exists():
        raise NotFound(f"Not found: upload {id}")
    place = CONTENT_RANGE.fullmatch(call.headers.get("content-range", ""))
    if place is None:
        raise InvalidValue(f"Invalid Content-Range: {call.headers.get('content-range')}")
    if place["start"] is not None:
        with file.open("r+b") as stream:
            # A piece that is sent again after a broken connection stands where it stood.
            stream.seek(int(place["start"]))
            stream.write(call.content)
    size = file.stat().st_size
    if place["total"] == "*" or size < int(place["total"]):
        return Answer(RESUME, None, {"Range": f"bytes=0-{size - 1}"} if size else {})
    description = _description(file)
    job = start(engine, call.project, json.loads(description.read_text()), file)
    description.unlink()
    return first_answer(job)


ROUTES: Routes = {
    "POST /upload/projects/{project}/jobs": insert,
    "PUT /upload/projects/{project}/jobs": resume,
}

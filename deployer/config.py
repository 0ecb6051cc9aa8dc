"""The config: YAML at a path or in a bucket, checked whole before anything starts."""

from __future__ import annotations

import re
from datetime import date
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from deployer.errors import UsageError

MAXIMUM_BYTES = 1_000_000  # a config is read by people; anything larger is some other file
SHIPPED = Path(__file__).parent  # an installed package has sql/ and sample_data/ in it

Identifier = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,1023}$")]
ProjectId = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9.:-]{2,62}$")]


class ConfigError(UsageError):
    """Names the config, the line and key where there is one, and what to do."""


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Warehouse(Section):
    engine: Literal["embedded", "bigquery"]
    project: ProjectId
    location: str = "EU"
    path: Path | None = None  # the embedded engine's file, relative to the config
    endpoint: str | None = None  # another server of BigQuery's API

    @model_validator(mode="after")
    def path_belongs_to_embedded(self) -> Self:
        if (self.engine == "embedded") != (self.path is not None):
            raise ValueError("`path` names the file of `engine: embedded`, which needs it; no other engine takes it")
        if self.engine == "embedded" and self.endpoint is not None:
            raise ValueError("`endpoint` goes with `engine: bigquery`")
        return self


class StepBytes(Section):
    """The most that each step may be billed for; None: no bound. More fails before it costs anything."""

    cleanse: Annotated[int, Field(gt=0)] | None = None
    publish: Annotated[int, Field(gt=0)] | None = None
    cleanup: Annotated[int, Field(gt=0)] | None = None


class Transfer(Section):
    dataset: Identifier  # logical: where its three procedures are
    start_date: date  # the first day that a truncate rebuilds
    depends_on: tuple[Identifier, ...] = ()
    max_window_days: Annotated[int, Field(ge=1, le=4_000)] = 366  # a longer window is published in chunks
    maximum_bytes_billed: StepBytes = StepBytes()


class Lease(Section):
    seconds: Annotated[int, Field(ge=10, le=86_400)] = 120  # it is renewed three times as often


class Retries(Section):
    """In seconds, each."""

    seconds: Annotated[float, Field(ge=0, le=86_400)] = 300  # for how long a call or a job is tried again
    first_wait: Annotated[float, Field(gt=0, le=600)] = 1
    longest_wait: Annotated[float, Field(gt=0, le=3_600)] = 30


class Config(Section):
    environment: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,62}$")]  # it becomes a job label
    warehouse: Warehouse
    bootstrap: bool = False  # seed and sync an empty embedded warehouse before the first run
    sql: Path = Path("../sql")
    sample_data: Path = Path("../sample_data")
    datasets: dict[Identifier, Identifier]  # logical -> the environment's
    transfers: dict[Identifier, Transfer]
    lease: Lease = Lease()
    retries: Retries = Retries()
    grace_seconds: Annotated[float, Field(ge=5, le=3_600)] = 25  # in which a process ends that is asked to

    @model_validator(mode="after")
    def parts_agree(self) -> Self:
        if self.bootstrap and self.warehouse.engine != "embedded":
            raise ValueError("`bootstrap: true` is for `engine: embedded` alone; elsewhere run `deployer sync`")
        if len(set(self.datasets.values())) < len(self.datasets):
            raise ValueError("`datasets` maps two logical datasets to one")
        for name, transfer in self.transfers.items():
            if transfer.dataset not in self.datasets:
                raise ValueError(f"`transfers.{name}.dataset`: `datasets` does not map {transfer.dataset}")
            for upstream in transfer.depends_on:
                if upstream not in self.transfers:
                    raise ValueError(f"`transfers.{name}.depends_on`: there is no transfer {upstream}")
        try:
            TopologicalSorter({name: made.depends_on for name, made in self.transfers.items()}).prepare()
        except CycleError as error:
            raise ValueError("transfers depend on each other: " + " -> ".join(error.args[1])) from None
        return self


class _Loader(yaml.SafeLoader):
    """Dates stay text: YAML's own reader raises without a place on 2013-13-01, pydantic names the key."""

    yaml_implicit_resolvers = {  # noqa: RUF012  as the base class has it
        first: [(tag, pattern) for tag, pattern in resolvers if not tag.endswith(":timestamp")]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


def load_config(location: str) -> Config:
    """The config at `/path/to/file` or `gs://bucket/file`; raises ConfigError. Paths in it become absolute."""
    text = _from_bucket(location) if location.startswith("gs://") else _from_file(Path(location))
    try:
        tree = yaml.compose(text, Loader=_Loader)
        content = yaml.load(text, Loader=_Loader)
    except RecursionError:
        raise ConfigError(f"{location}: is nested too deeply to be a config") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f":{mark.line + 1}:{mark.column + 1}" if mark else ""
        raise ConfigError(f"{location}{place}: is not YAML: {getattr(error, 'problem', error)}") from None
    _refuse_repeated_keys(location, tree)
    if not isinstance(content, dict):
        raise ConfigError(f"{location}: is empty or no mapping; config/local.yaml shows what a config looks like")
    try:
        config = Config.model_validate(content)
    except ValidationError as error:
        raise ConfigError("\n".join(_explained(location, tree, problem) for problem in error.errors())) from None
    # Paths in an object of a bucket are read as if it stood in config/ of the working folder.
    folder = Path.cwd() / "config" if location.startswith("gs://") else Path(location).resolve().parent
    warehouse = config.warehouse
    if warehouse.path is not None:
        warehouse = warehouse.model_copy(update={"path": (folder / warehouse.path).resolve()})
    paths = {key: _folder(config, key, folder) for key in ("sql", "sample_data")}
    return config.model_copy(update={"warehouse": warehouse, **paths})


def _folder(config: Config, key: Literal["sql", "sample_data"], folder: Path) -> Path:
    """What the config says, relative to itself; else the folder beside its own; else what the package ships."""
    path: Path = (folder / getattr(config, key)).resolve()
    if key in config.model_fields_set or path.is_dir():
        return path
    return next((shipped for shipped in (SHIPPED / key, SHIPPED.parent / key) if shipped.is_dir()), path)


def _refuse_repeated_keys(location: str, node: yaml.Node | None) -> None:
    """YAML lets the last of two equal keys win, unseen."""
    if isinstance(node, yaml.SequenceNode):
        for item in node.value:
            _refuse_repeated_keys(location, item)
    if not isinstance(node, yaml.MappingNode):
        return
    seen: dict[str, int] = {}
    for key, value in node.value:
        line = key.start_mark.line + 1
        if str(key.value) in seen:
            first = seen[str(key.value)]
            raise ConfigError(f"{location}:{line}: {key.value}: is also set in line {first}; keep one of the two")
        seen[str(key.value)] = line
        _refuse_repeated_keys(location, value)


def _from_file(path: Path) -> str:
    try:
        if path.exists() and not path.is_file():
            raise ConfigError(f"{path}: is no file")
        if path.stat().st_size > MAXIMUM_BYTES:
            raise ConfigError(f"{path}: has more than {MAXIMUM_BYTES:,} bytes, so it is no config")
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigError(f"{path}: there is no such config; CONFIG_LOCATION is a path or gs://bucket/file") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: is not UTF-8 text") from None
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from None


def _from_bucket(location: str) -> str:
    match = re.fullmatch(r"gs://([a-z0-9][a-z0-9._-]{1,220}[a-z0-9])/(.+)", location)
    if match is None:
        raise ConfigError(f"{location}: write it as gs://bucket/file")
    # Half a second that a config on disk does not pay.
    import google.cloud.storage as storage
    from google.api_core.exceptions import GoogleAPIError, NotFound
    from google.auth.exceptions import GoogleAuthError
    from google.cloud.storage.retry import DEFAULT_RETRY
    from requests.exceptions import RequestException

    retry = DEFAULT_RETRY.with_timeout(30)
    login = "run `gcloud auth application-default login` or mount a service account"
    try:
        client = storage.Client(project="config")
        bucket = client.bucket(match[1])
        try:
            content: bytes = bucket.blob(match[2]).download_as_bytes(end=MAXIMUM_BYTES, timeout=30, retry=retry)
        except NotFound:
            list(
                client.list_blobs(bucket, max_results=1, timeout=30, retry=retry)
            )  # the same, if it has no such bucket
            raise ConfigError(f"{location}: the bucket has no such object") from None
        if len(content) > MAXIMUM_BYTES:
            raise ConfigError(f"{location}: has more than {MAXIMUM_BYTES:,} bytes, so it is no config")
        return content.decode("utf-8")
    except GoogleAPIError as error:
        status = getattr(error, "code", None)
        causes: dict[int | None, str] = {
            403: "permission denied; the caller needs roles/storage.objectViewer on the bucket",
            401: f"the caller is not known; {login}",
            404: "there is no such bucket",
            416: "is empty",  # it has no first byte
        }
        raise ConfigError(f"{location}: {causes.get(status, str(error))}") from None
    except GoogleAuthError as error:
        raise ConfigError(f"{location}: no credentials ({error}); {login}") from None
    except RequestException as error:
        raise ConfigError(f"{location}: cannot be reached: {type(error).__name__}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{location}: is not UTF-8 text") from None


def _explained(location: str, tree: yaml.Node | None, problem: Any) -> str:
    """One problem of pydantic's as `file:line: key: what is wrong`."""
    keys = [str(part) for part in problem["loc"] if part != "[key]"]
    line = _line(tree, keys)
    message = problem["msg"].removeprefix("Value error, ")
    if problem["type"] == "extra_forbidden":
        message = "there is no such key; remove it or mend its spelling"
    elif problem["type"] == "missing":
        message = "is missing"
    key = f"{'.'.join(keys)}: " if keys else ""
    return f"{location}:{line}: {key}{message}"


def _line(node: yaml.Node | None, keys: list[str]) -> int:
    """The line, from 1, of the deepest of the keys that the document has."""
    line = 1
    for key in keys:
        if isinstance(node, yaml.SequenceNode) and key.isdigit() and int(key) < len(node.value):
            node = node.value[int(key)]
            line = node.start_mark.line + 1
            continue
        if not isinstance(node, yaml.MappingNode):
            break
        found = next(((name, value) for name, value in node.value if name.value == key), None)
        if found is None:
            break
        line, node = found[0].start_mark.line + 1, found[1]
    return line

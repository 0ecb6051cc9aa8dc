"""The record of deployments: a row each in ops.deployments, with every object that it touched.

The row is there before anything is changed, so that a process that dies leaves word of what it was at. Unchanged
objects are not repeated: an object's latest entry that was applied says how it was last deployed.
"""

from __future__ import annotations

import getpass
import os
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from subprocess import DEVNULL, SubprocessError
from subprocess import run as run_process
from typing import Any
from uuid import uuid4

from google.cloud.bigquery.table import RowIterator

from deployer.__version__ import __version__
from deployer.errors import DeployerError
from deployer.sync.calls import records, run
from deployer.sync.definitions import DEPLOYMENTS, LOCKS, PROVIDE_LEASES
from deployer.warehouse import Warehouse

LOCK_SECONDS = 300
CHUNK_BYTES = 4_000_000  # of definitions that one call carries; BigQuery takes 10 MB
FIELDS = ("object", "kind", "action", "checksum", "definition")
Entry = Mapping[str, str]  # by FIELDS

LATEST = """
  SELECT
    object,
    kind,
    MAX(IF(age = applied_age, checksum, NULL)) AS checksum,
    MAX(IF(age = applied_age, definition, NULL)) AS definition,
    MAX(IF(age = applied_age, UNIX_MILLIS(altered_at), NULL)) AS altered_at,
    MAX(IF(age = applied_age, ddl_checksum, NULL)) AS ddl_checksum,
    ARRAY_AGG(IF(age < IFNULL(applied_age, age + 1) AND state != 'untried', checksum, NULL) IGNORE NULLS) AS pending
  FROM (
    SELECT *, MIN(IF(state = 'applied', age, NULL)) OVER (PARTITION BY object, kind) AS applied_age
    FROM (
      SELECT
        o.*,
        ROW_NUMBER() OVER (PARTITION BY o.object, o.kind ORDER BY d.deployment_id DESC, position DESC) AS age
      FROM {deployments} AS d
      CROSS JOIN UNNEST(d.objects) AS o WITH OFFSET AS position
      WHERE d.environment = @environment{until}
    )
  )
  GROUP BY object, kind
  HAVING IFNULL(MAX(IF(age = applied_age, action, NULL)), '') != 'drop'
"""
PLANNED = """ARRAY(
  SELECT AS STRUCT
    o.object AS object, o.kind AS kind, o.action AS action, 'planned' AS state, o.checksum AS checksum,
    o.definition AS definition, CAST(NULL AS TIMESTAMP) AS altered_at, CAST(NULL AS STRING) AS ddl_checksum
  FROM UNNEST(@objects) AS o WITH OFFSET AS position
  ORDER BY position
)"""
# One MERGE decides: mutations of one table are queued, so of two takers the second sees the first one's row. Before the
# very first there is none, and two may insert theirs: then neither has the lock, and both give theirs back. The row of
# the deployment is only written on top of the one that the plan was made on.
BEGIN = """
DECLARE is_mine BOOL;
MERGE {locks} AS l
USING (SELECT 'deploy' AS lock_name) AS w
  ON l.lock_name = w.lock_name
WHEN MATCHED AND (l.holder IS NULL OR l.holder = @holder OR l.expires_at <= CURRENT_TIMESTAMP()) THEN
  UPDATE SET
    holder = @holder,
    acquired_at = CURRENT_TIMESTAMP(),
    expires_at = TIMESTAMP_ADD(CURRENT_TIMESTAMP(), INTERVAL @seconds SECOND)
WHEN NOT MATCHED THEN
  INSERT (lock_name, holder, acquired_at, expires_at)
  VALUES (
    w.lock_name, @holder, CURRENT_TIMESTAMP(), TIMESTAMP_ADD(CURRENT_TIMESTAMP(), INTERVAL @seconds SECOND)
  );
SET is_mine = (SELECT LOGICAL_AND(l.holder = @holder) FROM {locks} AS l WHERE l.lock_name = 'deploy');
IF is_mine THEN
  INSERT INTO {deployments} (
    deployment_id, environment, outcome, deployed_at, deployed_by, holder, code_version, objects
  )
  SELECT
    @number,
    @environment,
    'started',
    CURRENT_TIMESTAMP(),
    SESSION_USER(),
    @holder,
    @code_version,
    {planned}
  FROM (SELECT COALESCE(MAX(d.deployment_id), 0) AS latest FROM {deployments} AS d)
  WHERE latest = @number - 1;
END IF;
SELECT
  is_mine,
  EXISTS (SELECT 1 FROM {deployments} AS d WHERE d.deployment_id = @number AND d.holder = @holder) AS is_begun,
  l.holder,
  l.acquired_at,
  l.expires_at
FROM {locks} AS l
WHERE l.lock_name = 'deploy'
ORDER BY l.holder = @holder
LIMIT 1;
"""
# Repeated, it finds that the entries are there.
APPEND = """
UPDATE {deployments}
SET objects = ARRAY_CONCAT(
  objects,
  {planned}
)
WHERE deployment_id = @number AND holder = @holder AND ARRAY_LENGTH(objects) = @known
"""
# What the warehouse has for each object now is part of the record: the next plan compares with it.
FINISH = """
UPDATE {deployments} AS d
SET
  outcome = @outcome,
  ended_at = CURRENT_TIMESTAMP(),
  objects = n.objects
FROM (
  SELECT
    ARRAY_AGG(
      STRUCT(
        o.object AS object,
        o.kind AS kind,
        o.action AS action,
        @states[SAFE_OFFSET(position)] AS state,
        o.checksum AS checksum,
        o.definition AS definition,
        s.altered_at AS altered_at,
        s.ddl_checksum AS ddl_checksum
      )
      ORDER BY position
    ) AS objects
  FROM {deployments} AS e
  CROSS JOIN UNNEST(e.objects) AS o WITH OFFSET AS position
  LEFT JOIN ({seen}) AS s
    ON s.object = o.object AND s.is_relation = (o.kind IN ('TABLE', 'VIEW'))
  WHERE e.deployment_id = @number AND e.holder = @holder
) AS n
WHERE d.deployment_id = @number AND d.holder = @holder AND d.outcome = 'started';
"""
SEEN = """
    SELECT
      CONCAT('{logical}.', routine_name) AS object, FALSE AS is_relation, last_altered AS altered_at,
      TO_HEX(SHA256(ddl)) AS ddl_checksum
    FROM `{dataset}`.INFORMATION_SCHEMA.ROUTINES
    UNION ALL
    SELECT CONCAT('{logical}.', table_name), TRUE, NULL, TO_HEX(SHA256(ddl))
    FROM `{dataset}`.INFORMATION_SCHEMA.TABLES
"""
RELEASE = "UPDATE {locks} SET holder = NULL, expires_at = NULL WHERE lock_name = 'deploy' AND holder = @holder;"
FINISH += RELEASE
RENEW = """
UPDATE {locks}
SET expires_at = TIMESTAMP_ADD(CURRENT_TIMESTAMP(), INTERVAL @seconds SECOND)
WHERE lock_name = 'deploy' AND holder = @holder
"""
LEASES = "\nCALL {leases}(@transfers);"
HISTORY = """
SELECT
  d.deployment_id AS number,
  d.deployed_at,
  d.deployed_by,
  d.code_version,
  IF(d.outcome = 'started' AND l.holder IS NULL, 'interrupted', d.outcome) AS outcome,
  (SELECT COUNTIF(o.state = 'applied' AND o.action != 'put back') FROM UNNEST(d.objects) AS o) AS objects
FROM {deployments} AS d
LEFT JOIN {locks} AS l ON l.holder = d.holder AND l.expires_at > CURRENT_TIMESTAMP()
WHERE d.environment = @environment
ORDER BY number DESC
LIMIT @most
"""


class LockHeld(DeployerError):
    """Another deployment is at work: nothing was started."""

    exit_status = 3

    def __init__(self, holder: str, since: datetime, until: datetime) -> None:
        super().__init__(
            f"Another deployment is at work: {holder}, since {since:%Y-%m-%d %H:%M:%S} UTC; its lock ends "
            f"{until:%Y-%m-%d %H:%M:%S} UTC unless it is renewed. Nothing was started; try again later."
        )


class Deployment:
    """The row of one deployment, and the lock that goes with it."""

    def __init__(self, warehouse: Warehouse, number: int) -> None:
        self._warehouse = warehouse
        self.number = number
        self.holder = _holder()
        self._count = 0
        self._tables = {
            "deployments": warehouse.quoted(*DEPLOYMENTS),
            "locks": warehouse.quoted(*LOCKS),
        }

    def begin(self, entries: Sequence[Entry]) -> bool:
        """Takes the lock and writes the row; False when another deployment came between, and the lock is free again.

        Raises LockHeld.
        """
        first, *rest = _chunks(entries)
        [row] = self._run(
            BEGIN,
            "Taking the lock in ops.deploy_locks",
            number=self.number,
            environment=self._warehouse.config.environment,
            seconds=LOCK_SECONDS,
            code_version=code_version(self._warehouse.config.sql),
            objects=records("objects", FIELDS, first),
        )
        if not row.is_mine:
            raise LockHeld(row.holder, row.acquired_at, row.expires_at)
        if not row.is_begun:
            self.release()
            return False
        self._count = len(first)
        for chunk in rest:
            self._append(chunk)
        return True

    def append(self, entries: Sequence[Entry]) -> None:
        for chunk in _chunks(entries):
            self._append(chunk)

    def _append(self, chunk: list[Entry]) -> None:
        if chunk:
            objects = records("objects", FIELDS, chunk)
            self._run(APPEND, "Writing to ops.deployments", number=self.number, objects=objects, known=self._count)
            self._count += len(chunk)

    def finish(
        self, outcome: str, datasets: Mapping[str, str], states: list[str], *, with_leases: bool = False
    ) -> None:
        """Says how it ended, and of each entry in its order, and frees the lock; then transfers get their leases.

        `datasets` are those that exist and were touched, logical -> the environment's.
        """
        seen = "    UNION ALL".join(SEEN.format(logical=key, dataset=name) for key, name in datasets.items())
        what = "Recording the deployment in ops.deployments"
        sql = FINISH.replace("{seen}", seen)
        values: dict[str, Any] = {"number": self.number, "outcome": outcome, "states": states}
        transfers = list(self._warehouse.config.transfers)
        if with_leases and transfers:
            sql += LEASES.format(leases=self._warehouse.quoted(*PROVIDE_LEASES))
            values["transfers"] = transfers
        self._run(sql, what, **values)

    def renew(self) -> bool:
        """Whether the lock is still the holder's, and will be for LOCK_SECONDS from now."""
        return bool(self._run(RENEW, "Renewing the lock", seconds=LOCK_SECONDS).num_dml_affected_rows)

    def release(self) -> None:
        self._run(RELEASE, "Freeing the lock in ops.deploy_locks")

    def _run(self, sql: str, what: str, **parameters: Any) -> RowIterator:
        return run(self._warehouse, sql.format(**self._tables, planned=PLANNED), what, holder=self.holder, **parameters)


@dataclass(frozen=True, slots=True)
class Past:
    """A deployment, as `history` lists it."""

    number: int
    deployed_at: datetime
    deployed_by: str
    code_version: str
    outcome: str
    objects: int  # that it put in place


def history(warehouse: Warehouse, most: int) -> list[Past]:
    """The latest first; raises Missing where nothing was ever deployed."""
    sql = HISTORY.format(deployments=warehouse.quoted(*DEPLOYMENTS), locks=warehouse.quoted(*LOCKS))
    rows = run(warehouse, sql, "Reading ops.deployments", environment=warehouse.config.environment, most=most)
    return [Past(*row.values()) for row in rows]


def code_version(folder: Path) -> str:
    """What git says of the folder's version; the package's own where there is no git."""
    try:
        words = ["git", "-C", str(folder), "describe", "--always", "--dirty", "--tags"]
        done = run_process(words, stdin=DEVNULL, capture_output=True, text=True, timeout=10)
    except (OSError, SubprocessError):
        return __version__
    return done.stdout.strip() if done.returncode == 0 else __version__


def _holder() -> str:
    """This process, for people and unlike any other."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a container's user may have no name
        user = f"user {os.getuid()}"
    return f"{user}@{socket.gethostname()}, process {os.getpid()} ({uuid4().hex[:8]})"


def _chunks(entries: Sequence[Entry]) -> list[list[Entry]]:
    """Parts that one call can carry each; the first may be empty."""
    found: list[list[Entry]] = [[]]
    size = 0
    for entry in entries:
        size += len(entry["definition"].encode())
        if size > CHUNK_BYTES and found[-1]:
            found.append([])
            size = len(entry["definition"].encode())
        found[-1].append(entry)
    return found

"""Who changed what a deployment did not: found among the jobs of the project, where those may be seen."""

from __future__ import annotations

from collections.abc import Iterable

from deployer.errors import DeployerError
from deployer.sync.calls import records, run
from deployer.sync.compare import Step
from deployer.warehouse import Warehouse

# A routine's time of change lies within its job, but for the clocks of several servers.
FOUND = """
SELECT c.object, ARRAY_AGG(j.user_email ORDER BY j.creation_time DESC LIMIT 1)[OFFSET(0)] AS author
FROM UNNEST(@changed) AS c
JOIN `region-{location}`.INFORMATION_SCHEMA.JOBS_BY_PROJECT AS j
  ON
    TIMESTAMP_MILLIS(CAST(c.changed_at AS INT64))
    BETWEEN TIMESTAMP_SUB(j.creation_time, INTERVAL 5 SECOND) AND TIMESTAMP_ADD(j.end_time, INTERVAL 5 SECOND)
    AND STRPOS(j.query, c.name) > 0
WHERE STARTS_WITH(j.statement_type, 'CREATE_') OR j.statement_type = 'SCRIPT'
GROUP BY c.object
"""


def authors(warehouse: Warehouse, drifted: Iterable[Step]) -> dict[str, str]:
    """The e-mail address of who changed each object, by its target, as far as it can be told."""
    changed = [
        {"object": step.target, "name": step.name.name, "changed_at": str(step.changed_at)}
        for step in drifted
        if step.changed_at is not None
    ]
    if not changed:
        return {}
    sql = FOUND.format(location=warehouse.config.warehouse.location.lower())
    fields = ("object", "name", "changed_at")
    try:
        rows = run(warehouse, sql, "Looking for authors", changed=records("changed", fields, changed))
    except DeployerError:  # not everybody may see everybody's jobs
        return {}
    return {row.object: row.author for row in rows}

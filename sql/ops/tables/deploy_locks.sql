-- ops.deploy_locks
-- Who deploys to these datasets now: one row; holder is NULL while nobody does. Apart from ops.leases, because a
-- deployment that brings another version of the lease's procedures cannot call them.
CREATE TABLE IF NOT EXISTS ops.deploy_locks (
  lock_name STRING,
  holder STRING,
  acquired_at TIMESTAMP,
  expires_at TIMESTAMP
);

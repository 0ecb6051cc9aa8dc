-- ops.leases
-- A row a transfer; holder is NULL while nobody runs it.
CREATE TABLE IF NOT EXISTS ops.leases (
  transfer STRING,
  holder STRING,
  acquired_at TIMESTAMP,
  expires_at TIMESTAMP
);

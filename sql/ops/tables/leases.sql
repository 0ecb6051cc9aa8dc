-- ops.leases
-- A row a transfer, from sync on; holder is the run that has the lease, NULL while nobody runs the transfer.
CREATE TABLE IF NOT EXISTS ops.leases (
  transfer STRING,
  holder STRING,
  acquired_at TIMESTAMP,
  expires_at TIMESTAMP
);

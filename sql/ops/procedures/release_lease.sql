-- ops.release_lease
-- Frees a lease that its holder has.
--
-- args:   in_transfer, in_holder
-- reads:  -
-- writes: ops.leases
-- calls:  -
-- rerun:  safe: only the holder's own lease is freed
CREATE OR REPLACE PROCEDURE ops.release_lease(
  IN in_transfer STRING,
  IN in_holder STRING
)
BEGIN
  UPDATE ops.leases
  SET holder = NULL, acquired_at = NULL, expires_at = NULL
  WHERE transfer = in_transfer AND holder = in_holder;
END;

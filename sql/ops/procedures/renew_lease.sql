-- ops.renew_lease
-- Prolongs a lease that its holder still has, be it past its end: as long as nobody else took it, nobody was at work.
--
-- args:   in_transfer, in_holder, in_seconds, out_renewed
-- reads:  -
-- writes: ops.leases
-- calls:  -
-- rerun:  safe: prolongs from now
CREATE OR REPLACE PROCEDURE ops.renew_lease(
  IN in_transfer STRING,
  IN in_holder STRING,
  IN in_seconds INT64,
  OUT out_renewed BOOL
)
BEGIN
  UPDATE ops.leases
  SET expires_at = TIMESTAMP_ADD(CURRENT_TIMESTAMP(), INTERVAL in_seconds SECOND)
  WHERE transfer = in_transfer AND holder = in_holder;
  SET out_renewed = @@row_count = 1;
END;

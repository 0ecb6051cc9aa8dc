-- ops.require_lease
-- Fails unless the run has the lease of its transfer. In a transaction it tells of the transaction's start: whoever
-- takes the lease after that ends the jobs of the former holder before anything else.
--
-- args:   in_transfer, in_run_id
-- reads:  ops.leases
-- writes: -
-- calls:  -
-- rerun:  safe: changes nothing
CREATE OR REPLACE PROCEDURE ops.require_lease(
  IN in_transfer STRING,
  IN in_run_id STRING
)
BEGIN
  IF NOT EXISTS (
    SELECT 1 FROM ops.leases
    WHERE transfer = in_transfer AND holder = in_run_id AND expires_at > CURRENT_TIMESTAMP()
  ) THEN
    RAISE USING MESSAGE = FORMAT(
      'Run %s does not have the lease of %s: it expired, another run has it, or it was never taken. The command '
      || 'pipeline takes and renews it; by hand, CALL ops.acquire_lease does.',
      in_run_id, in_transfer
    );
  END IF;
END;

-- ops.provide_leases
-- Gives each transfer its row in ops.leases, free; a row that is there stays as it is.
--
-- args:   in_transfers
-- reads:  -
-- writes: ops.leases
-- calls:  -
-- rerun:  safe: a transfer has one row
CREATE OR REPLACE PROCEDURE ops.provide_leases(
  IN in_transfers ARRAY<STRING>
)
BEGIN
  MERGE ops.leases AS l
  USING (SELECT wanted FROM UNNEST(in_transfers) AS wanted) AS w
    ON l.transfer = w.wanted
  WHEN NOT MATCHED THEN INSERT (transfer) VALUES (w.wanted);
END;

-- ops.acquire_lease
-- Takes the lease of a transfer if it is free or expired, and says who holds it.
--
-- args:   in_transfer, in_holder, in_seconds, out_acquired, out_holder, out_since, out_until
-- reads:  ops.leases
-- writes: ops.leases
-- calls:  -
-- rerun:  safe: its holder may take it again
CREATE OR REPLACE PROCEDURE ops.acquire_lease(
  IN in_transfer STRING,
  IN in_holder STRING,
  IN in_seconds INT64,
  OUT out_acquired BOOL,
  OUT out_holder STRING,
  OUT out_since TIMESTAMP,
  OUT out_until TIMESTAMP
)
BEGIN
  -- One statement decides: of two that change the same row, the second one sees what the first has made of it. That
  -- holds for rows that are there, so ops.provide_leases makes them beforehand; here only one by hand meets none.
  MERGE ops.leases AS l
  USING (SELECT in_transfer AS wanted) AS w
    ON l.transfer = w.wanted
  WHEN MATCHED AND (l.holder IS NULL OR l.holder = in_holder OR l.expires_at <= CURRENT_TIMESTAMP()) THEN
    UPDATE
      SET
        holder = in_holder,
        acquired_at = IF(l.holder = in_holder, l.acquired_at, CURRENT_TIMESTAMP()),
        expires_at = TIMESTAMP_ADD(CURRENT_TIMESTAMP(), INTERVAL in_seconds SECOND)
  WHEN NOT MATCHED THEN
    INSERT (transfer, holder, acquired_at, expires_at)
    VALUES (
      in_transfer, in_holder, CURRENT_TIMESTAMP(), TIMESTAMP_ADD(CURRENT_TIMESTAMP(), INTERVAL in_seconds SECOND)
    );
  SET (out_holder, out_since, out_until) = (
    SELECT AS STRUCT
      l.holder,
      l.acquired_at,
      l.expires_at
    FROM ops.leases AS l
    WHERE l.transfer = in_transfer AND l.expires_at > CURRENT_TIMESTAMP()
    ORDER BY l.acquired_at
    LIMIT 1
  );
  SET out_acquired = COALESCE(out_holder = in_holder, FALSE);
END;

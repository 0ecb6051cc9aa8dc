-- sid.sid_dim_agent_publish
-- Replaces the daily states of the window, and of the published days that look back on it, and derives sid.dim_agent
-- from the states of all published days, in one transaction.
--
-- args:   window_start, window_end DATE (inclusive); write_mode 'truncate' or 'delta'; run_id; OUT rows_affected
-- reads:  ops.published_days, sid.agent_daily_state, staging.agent_daily_state
-- writes: sid.agent_daily_state, sid.dim_agent
-- calls:  ops.expect_unique_key, ops.expect_not_null, ops.expect_none, ops.expect_no_fall,
--         ops.conclude_expectations, ops.record_published_window, ops.require_lease
-- rerun:  safe: the dimension is a function of the states; the window's states are replaced
CREATE OR REPLACE PROCEDURE sid.sid_dim_agent_publish(
  IN window_start DATE,
  IN window_end DATE,
  IN write_mode STRING,
  IN run_id STRING,
  OUT rows_affected INT64
)
BEGIN
  DECLARE staged_rows, staged_keys, rows_with_null, strays INT64;
  DECLARE window_rows, former_rows, former_days INT64;
  DECLARE results ARRAY<STRUCT<expectation STRING, severity STRING, has_passed BOOL, measured NUMERIC, bound NUMERIC>>;

  SET (staged_rows, staged_keys, rows_with_null, strays, window_rows) = (
    SELECT AS STRUCT
      COUNT(*) AS staged_rows,
      COUNT(DISTINCT FORMAT('%t %s', state_date, agent_code)) AS staged_keys,
      COUNTIF(state_date IS NULL OR agent_code IS NULL OR fleet_band IS NULL) AS rows_with_null,
      COUNTIF(state_date NOT BETWEEN window_start AND DATE_ADD(window_end, INTERVAL 27 DAY)) AS strays,
      COUNTIF(state_date BETWEEN window_start AND window_end) AS window_rows
    FROM staging.agent_daily_state
  );
  SET (former_rows, former_days) = (
    SELECT AS STRUCT
      COUNT(*) AS former_rows,
      COUNT(DISTINCT state_date) AS former_days
    FROM sid.agent_daily_state
    WHERE state_date BETWEEN DATE_SUB(window_start, INTERVAL 7 DAY) AND DATE_SUB(window_start, INTERVAL 1 DAY)
  );
  CALL ops.expect_unique_key('state_date, agent_code', staged_rows, staged_keys, 'error', results);
  CALL ops.expect_not_null('state_date, agent_code, fleet_band', rows_with_null, 'error', results);
  CALL ops.expect_none('rows outside the window and the days that look back on it', strays, 'error', results);
  -- No error: days on which nothing flew are published as they are.
  CALL ops.expect_no_fall(
    window_rows, DATE_DIFF(window_end, window_start, DAY) + 1, former_rows, former_days, 0.5, 'warn', results
  );
  CALL ops.conclude_expectations('sid_dim_agent', run_id, window_start, window_end, results);

  BEGIN
    BEGIN TRANSACTION;
    CALL ops.require_lease('sid_dim_agent', run_id);

    IF write_mode = 'truncate' THEN
      DELETE FROM sid.agent_daily_state WHERE state_date IS NOT NULL;
    ELSE
      DELETE FROM sid.agent_daily_state
      WHERE state_date BETWEEN window_start AND DATE_ADD(window_end, INTERVAL 27 DAY);
    END IF;
    INSERT INTO sid.agent_daily_state (
      state_date,
      agent_code,
      agent_name,
      hub_airport,
      fleet_band
    )
    SELECT
      state_date,
      agent_code,
      agent_name,
      hub_airport,
      fleet_band
    FROM staging.agent_daily_state
    WHERE state_date BETWEEN window_start AND DATE_ADD(window_end, INTERVAL 27 DAY);
    SET rows_affected = @@row_count;
    CALL ops.record_published_window('sid_dim_agent', window_start, window_end, write_mode, run_id);

    -- The dimension is derived from all published days, so that the order in which they arrive cannot matter.
    MERGE sid.dim_agent AS d
    USING (
      WITH
      published_days AS (
        SELECT
          published_day,
          ROW_NUMBER() OVER (ORDER BY published_day) AS day_number,
          LEAD(published_day) OVER (ORDER BY published_day) AS next_day
        FROM ops.published_days
        WHERE transfer = 'sid_dim_agent'
      ),

      -- Days in a row with one state share the difference of the two numberings.
      numbered AS (
        SELECT
          s.agent_code,
          s.agent_name,
          s.hub_airport,
          s.fleet_band,
          s.state_date,
          p.next_day,
          p.day_number - ROW_NUMBER() OVER (
            PARTITION BY s.agent_code, s.agent_name, s.hub_airport, s.fleet_band
            ORDER BY s.state_date
          ) AS island
        FROM sid.agent_daily_state AS s
        INNER JOIN published_days AS p ON s.state_date = p.published_day
      )

      SELECT
        agent_code,
        agent_name,
        hub_airport,
        fleet_band,
        MIN(state_date) AS valid_from,
        IF(LOGICAL_OR(next_day IS NULL), NULL, DATE_SUB(MAX(next_day), INTERVAL 1 DAY)) AS valid_to,
        LOGICAL_OR(next_day IS NULL) AS is_current
      FROM numbered
      GROUP BY agent_code, agent_name, hub_airport, fleet_band, island
    ) AS v
      ON d.agent_code = v.agent_code AND d.valid_from = v.valid_from
    WHEN MATCHED THEN
      UPDATE
        SET
          agent_name = v.agent_name,
          hub_airport = v.hub_airport,
          fleet_band = v.fleet_band,
          valid_to = v.valid_to,
          is_current = v.is_current
    WHEN NOT MATCHED THEN
      INSERT (
        agent_code, agent_name, hub_airport, fleet_band, valid_from, valid_to, is_current
      ) VALUES (
        v.agent_code, v.agent_name, v.hub_airport, v.fleet_band, v.valid_from, v.valid_to, v.is_current
      )
    WHEN NOT MATCHED BY SOURCE THEN DELETE;
    COMMIT TRANSACTION;
  EXCEPTION WHEN ERROR THEN
    ROLLBACK TRANSACTION;
    RAISE;
  END;
END;

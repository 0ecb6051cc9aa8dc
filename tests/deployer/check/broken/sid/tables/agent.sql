-- sid.agent
-- Operating agents.
CREATE TABLE IF NOT EXISTS sid.agent (
  code STRING,
  name STRING,
  seats INT64,
  since DATE
);

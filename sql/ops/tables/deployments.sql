-- ops.deployments
-- A row a deployment, with every object's definition: rollback restores from it.
CREATE TABLE IF NOT EXISTS ops.deployments (
  deployment_id INT64,
  deployed_at TIMESTAMP,
  deployed_by STRING,
  environment STRING,
  code_version STRING,
  outcome STRING,
  objects ARRAY<STRUCT<object STRING, kind STRING, checksum STRING, definition STRING>>
);

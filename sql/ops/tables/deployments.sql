-- ops.deployments
-- A row a deployment, with the definition of every object that it touched: an object's latest entry that was applied
-- says what is deployed, and rollback restores from the entries of earlier rows.
CREATE TABLE IF NOT EXISTS ops.deployments (
  deployment_id INT64,
  environment STRING,
  outcome STRING OPTIONS (description = 'started, applied, failed, or rolled back to a deployment_id'),
  deployed_at TIMESTAMP,
  ended_at TIMESTAMP,
  deployed_by STRING,
  holder STRING OPTIONS (description = 'the process, as in ops.deploy_locks'),
  code_version STRING,
  objects ARRAY<
    STRUCT<
      object STRING OPTIONS (description = 'its logical name'),
      kind STRING,
      action STRING OPTIONS (description = 'create, replace, alter, record, drop or put back'),
      state STRING OPTIONS (description = 'planned, applied, failed, undone or untried'),
      checksum STRING OPTIONS (description = 'of the normal form of the definition'),
      definition STRING,
      altered_at TIMESTAMP OPTIONS (description = 'of a routine: when the warehouse had it changed by this deployment'),
      ddl_checksum STRING OPTIONS (description = 'of the ddl that INFORMATION_SCHEMA had for it then')
    >
  >
);

-- sid.clean_code
-- A code as it is compared.
CREATE OR REPLACE FUNCTION sid.clean_code(raw_code STRING)
RETURNS STRING
AS (UPPER(TRIM(raw_code)));

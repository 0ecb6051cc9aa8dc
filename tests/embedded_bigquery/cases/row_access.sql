-- case: policies let the rows through that one of them grants
CREATE TABLE d.t AS SELECT 1 AS a, 'x' AS b UNION ALL SELECT 2, 'y' UNION ALL SELECT 3, 'z';
CREATE ROW ACCESS POLICY one ON d.t GRANT TO ('allAuthenticatedUsers') FILTER USING (a = 1);
CREATE ROW ACCESS POLICY two ON d.t GRANT TO ('user:local@embedded-bigquery') FILTER USING (b = 'y' AND SESSION_USER() != '');
CREATE ROW ACCESS POLICY three ON d.t GRANT TO ('user:else@example.com') FILTER USING (TRUE);
SELECT t.a, (SELECT COUNT(*) FROM d.t) FROM d.t AS t JOIN d.t AS u USING (a) ORDER BY a;
-- rows: [[1, 2], [2, 2]]

-- case: whom no policy grants anything sees no row
CREATE TABLE d.t AS SELECT 1 AS a;
CREATE ROW ACCESS POLICY one ON d.t GRANT TO ('user:else@example.com') FILTER USING (TRUE);
CREATE ROW ACCESS POLICY IF NOT EXISTS one ON d.t GRANT TO ('allUsers') FILTER USING (TRUE);
SELECT COUNT(*) FROM d.t;
-- rows: [[0]]

-- case: without policies all rows are seen again
CREATE TABLE d.t AS SELECT 1 AS a;
CREATE ROW ACCESS POLICY one ON d.t FILTER USING (FALSE);
CREATE OR REPLACE ROW ACCESS POLICY two ON d.t GRANT TO ('allUsers') FILTER USING (a > 5);
DROP ROW ACCESS POLICY one ON d.t;
DROP ROW ACCESS POLICY IF EXISTS one ON d.t;
DROP ALL ROW ACCESS POLICIES ON d.t;
SELECT a FROM d.t;
-- rows: [[1]]

-- case: a policy's condition has its place
CREATE TABLE d.t AS SELECT 1 AS a;
CREATE ROW ACCESS POLICY one ON d.t GRANT TO ('allUsers')
FILTER USING (z = 1);
-- error: Unrecognized name: z at [3:15]

-- case: rows that a policy hides cannot be changed or copied
CREATE TABLE d.t AS SELECT 1 AS a;
CREATE ROW ACCESS POLICY one ON d.t GRANT TO ('allUsers') FILTER USING (a = 1);
CREATE TABLE d.u AS SELECT * FROM d.t;
CREATE TABLE d.v COPY d.t;
-- error: Access Denied: Table p:d.t

-- case: a policy that is not there
CREATE TABLE d.t AS SELECT 1 AS a;
DROP ROW ACCESS POLICY one ON d.t;
-- error: Not found: Row access policy one on table p:d.t

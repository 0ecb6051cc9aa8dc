-- case: COMMIT keeps what was written
CREATE TABLE d.t (a INT64);
BEGIN TRANSACTION;
INSERT INTO d.t (a) VALUES (1), (2);
COMMIT TRANSACTION;
SELECT COUNT(*) FROM d.t;
-- rows: [[2]]

-- case: ROLLBACK takes it back
CREATE TABLE d.t (a INT64);
BEGIN TRANSACTION;
INSERT INTO d.t (a) VALUES (1), (2);
ROLLBACK TRANSACTION;
SELECT COUNT(*) FROM d.t;
-- rows: [[0]]

-- case: a failed statement leaves the transaction open, with its earlier work
CREATE TABLE d.t (a INT64);
BEGIN
  BEGIN TRANSACTION;
  INSERT INTO d.t (a) VALUES (1);
  INSERT INTO d.t (a) SELECT CAST('x' AS INT64);
EXCEPTION WHEN ERROR THEN
  INSERT INTO d.t (a) VALUES (2);
  COMMIT TRANSACTION;
END;
SELECT SUM(a) FROM d.t;
-- rows: [[3]]

-- case: a handler rolls back and raises
CREATE TABLE d.t (a INT64);
INSERT INTO d.t (a) VALUES (1);
BEGIN
  BEGIN
    BEGIN TRANSACTION;
    DELETE FROM d.t WHERE TRUE;
    ASSERT FALSE AS 'half way';
    COMMIT TRANSACTION;
  EXCEPTION WHEN ERROR THEN
    ROLLBACK TRANSACTION;
    RAISE;
  END;
EXCEPTION WHEN ERROR THEN
  SELECT @@error.message, (SELECT COUNT(*) FROM d.t);
END;
-- rows: [["Assertion failed: half way", 1]]

-- case: transactions do not nest
BEGIN TRANSACTION;
BEGIN TRANSACTION;
-- error: nested transactions are not supported

-- case: a permanent table cannot be made inside
BEGIN TRANSACTION;
CREATE TABLE d.t (a INT64);
-- error: Query error: DDL statements are not supported in a transaction, except for those creating or droping temporary tables or temporary functions. at [2:1]

-- case: COMMIT without a transaction
SELECT 1;
COMMIT TRANSACTION;
-- error: there is no active transaction

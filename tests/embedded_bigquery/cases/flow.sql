-- case: IF takes the first branch that is true
DECLARE x INT64 DEFAULT 5;
DECLARE size STRING;
IF x > 100 THEN
  SET size = 'large';
ELSEIF x > 3 THEN
  SET size = 'medium';
ELSE
  SET size = 'small';
END IF;
SELECT size;
-- rows: [["medium"]]

-- case: an IF on NULL takes ELSE
IF NULL THEN
  SELECT 'then';
ELSE
  SELECT 'else';
END IF;
-- rows: [["else"]]

-- case: CASE with a subject and without
DECLARE found STRING;
CASE 2
  WHEN 1 THEN SET found = 'one';
  WHEN 2 THEN SET found = 'two';
END CASE;
CASE
  WHEN found = 'two' THEN SELECT CONCAT(found, '!');
  ELSE SELECT 'no';
END CASE;
-- rows: [["two!"]]

-- case: LOOP with a label, BREAK and CONTINUE
DECLARE i, total INT64 DEFAULT 0;
outer_loop: LOOP
  SET i = i + 1;
  IF MOD(i, 2) = 0 THEN CONTINUE outer_loop; END IF;
  IF i > 7 THEN BREAK outer_loop; END IF;
  SET total = total + i;
END LOOP outer_loop;
SELECT i, total;
-- rows: [[9, 16]]

-- case: an inner loop leaves the outer one by its label
DECLARE n INT64 DEFAULT 0;
outer_loop: WHILE TRUE DO
  WHILE TRUE DO
    SET n = n + 1;
    IF n = 3 THEN LEAVE outer_loop; END IF;
  END WHILE;
END WHILE;
SELECT n;
-- rows: [[3]]

-- case: a label on a block, left by LEAVE
DECLARE n INT64 DEFAULT 0;
work: BEGIN
  SET n = 1;
  LEAVE work;
  SET n = 2;
END work;
SELECT n;
-- rows: [[1]]

-- case: REPEAT runs once at least
DECLARE n INT64 DEFAULT 10;
REPEAT
  SET n = n + 1;
UNTIL n > 3 END REPEAT;
SELECT n;
-- rows: [[11]]

-- case: FOR gives each row as a struct
DECLARE text STRING DEFAULT '';
FOR r IN (SELECT w, n FROM UNNEST([STRUCT('a' AS w, 2 AS n), ('b', 1)]) ORDER BY n) DO
  SET text = CONCAT(text, r.w, CAST(r.n AS STRING));
END FOR;
SELECT text;
-- rows: [["b1a2"]]

-- case: RETURN ends the script
SELECT 1;
IF TRUE THEN RETURN; END IF;
SELECT 2;
-- rows: [[1]]

-- case: DECLARE after another statement is refused
SELECT 1;
DECLARE x INT64;
-- error: Variable declarations are allowed only at the start of a block or script at [2:1]

-- case: ASSERT that holds says nothing, one that fails gives its message
ASSERT 1 = 1;
ASSERT (SELECT COUNT(*) FROM UNNEST([1])) = 2 AS 'one row too few';
-- error: one row too few

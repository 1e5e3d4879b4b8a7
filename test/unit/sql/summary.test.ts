import { describe, expect, it } from 'vitest';
import { summaryOf } from '../../../src/sql/summary.js';

/** A statement and its summary. */
type Row = readonly [sql: string, summary: string];

describe('the summary of queries', () => {
  it.each<Row>([
    ['SELECT * FROM albums WHERE id = $1', 'SELECT albums'],
    ['select * from Albums', 'select Albums'],
    ['SELECT now()', 'SELECT'],
    ['SELECT a FROM singers, albums', 'SELECT singers albums'],
    ['SELECT a FROM singers AS s (x, y), albums b', 'SELECT singers albums'],
    ['SELECT a FROM b LEFT JOIN c ON b.x = c.x NATURAL JOIN d CROSS JOIN e', 'SELECT b c d e'],
    ['SELECT a FROM b JOIN c USING (x, y), d', 'SELECT b c d'],
    ['SELECT a FROM music.albums, "My ""Schema""".t', 'SELECT music.albums "My ""Schema""".t'],
    ['SELECT a FROM music /* x */ . albums', 'SELECT music.albums'],
    ['SELECT a FROM ONLY b, ONLY (c), d *', 'SELECT b c d'],
    ['SELECT a FROM (b JOIN (c JOIN d ON true) USING (x)) JOIN e ON true', 'SELECT b c d e'],
    ['SELECT a FROM (SELECT b FROM c) AS d, e', 'SELECT SELECT c e'],
    ['SELECT (SELECT a FROM b), c FROM d WHERE e IN (SELECT f FROM g)', 'SELECT SELECT b d SELECT g'],
    ['SELECT a FROM b, LATERAL (SELECT c FROM d) e JOIN LATERAL f(1) ON true', 'SELECT b SELECT d f'],
    ['SELECT a FROM b WHERE c = ANY (ARRAY(SELECT d FROM e))', 'SELECT b SELECT e'],
    ['SELECT a FROM b WHERE c[1:(SELECT d FROM e)] = ARRAY[1, 2]', 'SELECT b SELECT e'],
    ['SELECT a FROM b ORDER BY c, d LIMIT 1', 'SELECT b'],
    ['SELECT a FROM b WINDOW w AS (PARTITION BY c), x AS (w)', 'SELECT b'],
    ['SELECT a FROM b TABLESAMPLE system (1), c', 'SELECT b c'],
    ['SELECT a FROM b FOR UPDATE OF c, d', 'SELECT b'],
    ['SELECT a FROM b UNION ALL SELECT c FROM d EXCEPT (SELECT e FROM f)', 'SELECT b SELECT d SELECT f'],
    ['(SELECT a FROM b) UNION (SELECT c FROM d) ORDER BY 1', 'SELECT b SELECT d'],
    ['((SELECT a FROM b) INTERSECT SELECT c FROM d)', 'SELECT b SELECT d'],
    ['SELECT a INTO TEMP TABLE b FROM c', 'SELECT b c'],
    ['SELECT DISTINCT ON (a) b FROM c', 'SELECT c'],
    ['TABLE music.albums', 'TABLE music.albums'],
    ['VALUES (1), (2)', 'VALUES'],
    ['SELECT a FROM (VALUES (1), ($1)) AS v (a), b', 'SELECT b'],
    ['SELECT a FROM b JOIN conflict ON conflict = c JOIN d ON true', 'SELECT b conflict d'],
  ])('of %s is %s', (sql, summary) => expect(summaryOf(sql)).toBe(summary));
});

describe('the summary ignores FROM in an expression', () => {
  it.each<Row>([
    ['SELECT extract(year FROM ts) FROM a', 'SELECT a'],
    ['SELECT substring(x FROM 2), trim(BOTH FROM x), overlay(x PLACING y FROM 3) FROM a', 'SELECT a'],
    ['SELECT x IS DISTINCT FROM y, x IS NOT DISTINCT FROM z FROM a', 'SELECT a'],
    ['SELECT t.from, t . "from", 1 AS from FROM a', 'SELECT a'],
    ['UPDATE a SET b = c IS DISTINCT FROM d WHERE true', 'UPDATE a'],
  ])('of %s is %s', (sql, summary) => expect(summaryOf(sql)).toBe(summary));
});

describe('the summary includes functions in FROM, which may be the costly part', () => {
  it.each<Row>([
    ['SELECT * FROM generate_series(1, 3)', 'SELECT generate_series'],
    ['SELECT * FROM music.top_ten($1) AS t (a int, b text), c', 'SELECT music.top_ten c'],
    ['SELECT * FROM ROWS FROM (f(1), g(2)) WITH ORDINALITY', 'SELECT f g'],
    ['SELECT * FROM rows r', 'SELECT rows'],
    ['SELECT * FROM f((SELECT a FROM b))', 'SELECT f SELECT b'],
  ])('of %s is %s', (sql, summary) => expect(summaryOf(sql)).toBe(summary));
});

describe('the summary of WITH omits the names of its queries', () => {
  it.each<Row>([
    ['WITH a AS (SELECT b FROM c) SELECT d FROM a', 'SELECT c SELECT'],
    ['WITH a AS (SELECT 1), b (x) AS NOT MATERIALIZED (TABLE a) SELECT d FROM b, c', 'SELECT TABLE SELECT c'],
    ['WITH "A" AS (SELECT 1) SELECT d FROM a, "A"', 'SELECT SELECT a'],
    ['WITH A AS (SELECT 1) SELECT d FROM a, "a", public.a', 'SELECT SELECT public.a'],
    ['WITH a AS (SELECT b FROM a) SELECT c FROM a', 'SELECT a SELECT'],
    [
      'WITH RECURSIVE a (n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM a, b) SELECT c FROM a',
      'SELECT b SELECT',
    ],
    ['WITH recursive AS (SELECT 1) SELECT a FROM recursive', 'SELECT SELECT'],
    [
      'WITH RECURSIVE a AS (SELECT b FROM c) SEARCH DEPTH FIRST BY x, y SET o CYCLE x, y SET p USING q, d AS (SELECT 1) SELECT e FROM a, d',
      'SELECT c SELECT SELECT',
    ],
    ['SELECT (WITH a AS (SELECT 1) SELECT b FROM a) FROM a', 'SELECT SELECT SELECT a'],
    ['WITH a AS (SELECT 1) SELECT b FROM a; SELECT c FROM a', 'SELECT SELECT SELECT a'],
    ['WITH a AS (DELETE FROM b RETURNING c) INSERT INTO d SELECT c FROM a', 'DELETE b INSERT d SELECT'],
    ['WITH a AS (SELECT 1) UPDATE a SET b = c FROM a AS d', 'SELECT UPDATE a'],
  ])('of %s is %s', (sql, summary) => expect(summaryOf(sql)).toBe(summary));
});

describe('the summary of INSERT, UPDATE, DELETE and MERGE', () => {
  it.each<Row>([
    ['INSERT INTO audit VALUES ($1)', 'INSERT audit'],
    ['INSERT INTO audit (at, "what") SELECT a, b FROM orders', 'INSERT audit SELECT orders'],
    ['INSERT INTO audit AS a (update, delete) DEFAULT VALUES RETURNING *', 'INSERT audit'],
    ['INSERT INTO a (SELECT b FROM c)', 'INSERT a SELECT c'],
    ['INSERT INTO a WITH b AS (SELECT 1) TABLE b', 'INSERT a SELECT TABLE'],
    [
      'INSERT INTO a SELECT b FROM c JOIN d ON true ON CONFLICT (e, f) DO UPDATE SET g = 1, h = excluded.h',
      'INSERT a SELECT c d',
    ],
    ['INSERT INTO a VALUES (1) ON CONFLICT DO UPDATE SET b = (SELECT c FROM d), e = 1', 'INSERT a SELECT d'],
    ['UPDATE ONLY a AS b SET c = 1, d = (SELECT e FROM f) WHERE true', 'UPDATE a SELECT f'],
    ['UPDATE a SET b = c.b FROM c, d JOIN e ON true WHERE a.x = c.x RETURNING f, g', 'UPDATE a c d e'],
    ['DELETE FROM ONLY a WHERE b IN (SELECT c FROM d)', 'DELETE a SELECT d'],
    ['DELETE FROM a USING b, c WHERE a.x = b.x', 'DELETE a b c'],
    [
      'MERGE INTO a AS t USING b ON t.x = b.x WHEN MATCHED THEN UPDATE SET c = 1, d = 2 WHEN NOT MATCHED THEN INSERT (c, d) VALUES (1, 2)',
      'MERGE a b',
    ],
    ['MERGE INTO a USING (SELECT x FROM b) c ON true WHEN MATCHED THEN DELETE', 'MERGE a SELECT b'],
  ])('of %s is %s', (sql, summary) => expect(summaryOf(sql)).toBe(summary));
});

describe('the summary of commands', () => {
  it.each<Row>([
    ['CALL music.pay($1, (SELECT a FROM b))', 'CALL music.pay SELECT b'],
    ['EXPLAIN SELECT a FROM b', 'EXPLAIN SELECT b'],
    ['EXPLAIN (ANALYZE, FORMAT JSON) DELETE FROM b', 'EXPLAIN DELETE b'],
    ['EXPLAIN ANALYZE VERBOSE INSERT INTO a TABLE b', 'EXPLAIN INSERT a TABLE b'],
    ['EXPLAIN (SELECT a FROM b) UNION SELECT c FROM d', 'EXPLAIN SELECT b SELECT d'],
    ['PREPARE p (int, text) AS UPDATE a SET b = $1', 'PREPARE p UPDATE a'],
    ['EXECUTE p (1)', 'EXECUTE p'],
    ['DEALLOCATE PREPARE p', 'DEALLOCATE p'],
    ['DECLARE c1 NO SCROLL CURSOR WITH HOLD FOR SELECT a FROM b', 'DECLARE SELECT b'],
    ['FETCH 100 FROM c1', 'FETCH'],
    ['COPY music.albums (a, b) FROM STDIN', 'COPY music.albums'],
    ['COPY (SELECT a FROM b) TO STDOUT', 'COPY SELECT b'],
    ['COPY (DELETE FROM a RETURNING *) TO STDOUT', 'COPY DELETE a'],
    ["DO $$ BEGIN DELETE FROM a; END $$ LANGUAGE 'plpgsql'", 'DO'],
    ['BEGIN', 'BEGIN'],
    ['begin transaction isolation level serializable', 'begin transaction'],
    ['START TRANSACTION READ ONLY', 'START TRANSACTION'],
    ['COMMIT AND CHAIN', 'COMMIT'],
    ["COMMIT PREPARED 'x'", 'COMMIT PREPARED'],
    ["PREPARE TRANSACTION 'x'", 'PREPARE TRANSACTION'],
    ['SAVEPOINT s17', 'SAVEPOINT'],
    ['ROLLBACK WORK TO SAVEPOINT s17', 'ROLLBACK WORK TO SAVEPOINT'],
    ['RELEASE SAVEPOINT s17', 'RELEASE SAVEPOINT'],
    ["SET LOCAL app.tenant TO 'x'", 'SET app.tenant'],
    ['SET search_path = a, b', 'SET search_path'],
    ["SET TIME ZONE 'UTC'", 'SET TIME ZONE'],
    ['SET ROLE alice', 'SET ROLE'],
    ['SET TRANSACTION READ ONLY', 'SET TRANSACTION'],
    ['SHOW work_mem', 'SHOW work_mem'],
    ['RESET ALL', 'RESET ALL'],
    ['LISTEN jobs', 'LISTEN jobs'],
    ["NOTIFY jobs, 'payload'", 'NOTIFY jobs'],
    ['UNLISTEN *', 'UNLISTEN'],
    ['LOCK TABLE a, ONLY b IN SHARE MODE', 'LOCK TABLE a b'],
    ['TRUNCATE a, b RESTART IDENTITY', 'TRUNCATE a b'],
    ['VACUUM (FULL, VERBOSE) a (x, y), b', 'VACUUM a b'],
    ['VACUUM FULL ANALYZE a', 'VACUUM a'],
    ['ANALYZE', 'ANALYZE'],
    ['REINDEX (VERBOSE) TABLE CONCURRENTLY a', 'REINDEX TABLE a'],
    ['REFRESH MATERIALIZED VIEW CONCURRENTLY a WITH DATA', 'REFRESH MATERIALIZED VIEW a'],
    ['DISCARD ALL', 'DISCARD ALL'],
    ['GRANT SELECT ON a TO b', 'GRANT'],
    ["COMMENT ON TABLE a IS 'x'", 'COMMENT'],
  ])('of %s is %s', (sql, summary) => expect(summaryOf(sql)).toBe(summary));
});

describe('the summary of data definition statements', () => {
  it.each<Row>([
    [
      'CREATE TABLE IF NOT EXISTS a.b (id int DEFAULT 1, x text GENERATED ALWAYS AS (y) STORED)',
      'CREATE TABLE a.b',
    ],
    ['CREATE UNLOGGED TABLE a AS SELECT b FROM c', 'CREATE TABLE a SELECT c'],
    ['CREATE TABLE data (x int)', 'CREATE TABLE data'],
    ['CREATE TABLE a PARTITION OF b FOR VALUES FROM (1) TO (2)', 'CREATE TABLE a'],
    [
      'CREATE OR REPLACE VIEW a (x) AS WITH b AS (SELECT 1) SELECT c FROM b, d',
      'CREATE VIEW a SELECT SELECT d',
    ],
    ['CREATE MATERIALIZED VIEW a AS TABLE b WITH NO DATA', 'CREATE MATERIALIZED VIEW a TABLE b'],
    ['CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS a ON b (c)', 'CREATE INDEX a'],
    ['CREATE INDEX ON a (b)', 'CREATE INDEX a'],
    ["CREATE FUNCTION a(b int) RETURNS int LANGUAGE sql AS 'SELECT c FROM d'", 'CREATE FUNCTION a'],
    [
      'CREATE PROCEDURE a() BEGIN ATOMIC DELETE FROM b; SELECT CASE WHEN c THEN 1 END FROM d; END; SELECT e FROM f',
      'CREATE PROCEDURE a SELECT f',
    ],
    ['CREATE TRIGGER a BEFORE INSERT OR DELETE ON b FOR EACH ROW EXECUTE FUNCTION c()', 'CREATE TRIGGER a'],
    [
      'CREATE RULE a AS ON INSERT TO b DO INSTEAD (INSERT INTO c VALUES (1); SELECT d FROM e)',
      'CREATE RULE a',
    ],
    ['CREATE POLICY a ON b FOR SELECT USING (c IN (SELECT d FROM e))', 'CREATE POLICY a'],
    ['CREATE FOREIGN DATA WRAPPER a', 'CREATE FOREIGN DATA WRAPPER a'],
    ['CREATE TEXT SEARCH CONFIGURATION a (PARSER = b)', 'CREATE TEXT SEARCH CONFIGURATION a'],
    ['CREATE USER MAPPING FOR a SERVER b', 'CREATE USER MAPPING'],
    ['CREATE CAST (a AS b) WITHOUT FUNCTION', 'CREATE CAST'],
    ["CREATE ROLE a PASSWORD 'x'", 'CREATE ROLE a'],
    ['ALTER TABLE IF EXISTS ONLY a ADD b int, DROP COLUMN c', 'ALTER TABLE a'],
    ['ALTER SYSTEM SET work_mem = 1', 'ALTER SYSTEM SET work_mem'],
    ['DROP TABLE IF EXISTS a, b CASCADE', 'DROP TABLE a b'],
    ['DROP FUNCTION a(int, text), b', 'DROP FUNCTION a b'],
    ['DROP INDEX CONCURRENTLY a', 'DROP INDEX a'],
    ['DROP TRIGGER a ON b', 'DROP TRIGGER a'],
  ])('of %s is %s', (sql, summary) => expect(summaryOf(sql)).toBe(summary));
});

describe('the summary of several statements', () => {
  it.each<Row>([
    ['BEGIN; UPDATE a SET b = 1; COMMIT', 'BEGIN UPDATE a COMMIT'],
    [';; SELECT a FROM b;;SELECT c FROM d;', 'SELECT b SELECT d'],
    ['nonsense (SELECT a FROM b); SELECT c FROM d', 'SELECT d'],
  ])('of %s is %s', (sql, summary) => expect(summaryOf(sql)).toBe(summary));
});

describe('a text without a known statement has no summary', () => {
  it.each([
    '',
    ' \n',
    ';',
    '-- SELECT a FROM b',
    '/* SELECT a FROM b',
    "'SELECT'",
    '17',
    '$1',
    ')))',
    'nothing known',
  ])('%j', (sql) => expect(summaryOf(sql)).toBe(''));
});

describe('no summary contains a literal', () => {
  it.each<Row>([
    ["SELECT * FROM 'secret'", 'SELECT'],
    ['SELECT * FROM 42', 'SELECT'],
    ["SELECT * FROM \"open WHERE a = 'secret'", 'SELECT'],
    ["SELECT 'FROM secret', E'\\'FROM secret', U&'FROM secret' FROM a", 'SELECT a'],
    ['SELECT $$FROM secret$$, $x$ FROM $$ secret $x$ FROM a', 'SELECT a'],
    ['SELECT a /* FROM secret /* FROM secret */ FROM secret */ FROM b -- , secret', 'SELECT b'],
    ["SET secret.x TO 'y'; SET 'secret'", 'SET secret.x SET'],
    ['CREATE TABLE $$secret$$', 'CREATE TABLE'],
    ["CALL 'secret'", 'CALL'],
    ["SELECT * FROM a.'secret'", 'SELECT a'],
  ])('of %s is %s', (sql, summary) => expect(summaryOf(sql)).toBe(summary));
});

describe('a long summary', () => {
  const table = (at: number): string => `a_table_with_a_long_name_${at}`;
  const tables = Array.from({ length: 50 }, (_, at) => table(at));

  it('ends with a whole name, within 255 characters', () => {
    const summary = summaryOf(`SELECT * FROM ${tables.join(', ')}`);
    expect(summary).toBe(`SELECT ${tables.slice(0, 9).join(' ')}`);
    expect(summary.length).toBeLessThanOrEqual(255);
  });

  it('has at most 255 characters', () => {
    expect(summaryOf(`TABLE ${'a'.repeat(249)}`)).toHaveLength(255);
    expect(summaryOf(`TABLE ${'a'.repeat(250)}`)).toBe('TABLE');
  });

  it('keeps an operation of several words whole', () => {
    const name = 'a'.repeat(240);
    expect(summaryOf(`TABLE ${name}; REFRESH MATERIALIZED VIEW b`)).toBe(`TABLE ${name}`);
  });
});

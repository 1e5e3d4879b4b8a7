import { describe, expect, it } from 'vitest';
import { sanitized } from '../../../src/sql/sanitize.js';

type Row = readonly [sql: string, sanitized: string];

describe('sanitizing replaces literals', () => {
  it.each<Row>([
    ["SELECT 'a', 'it''s', ''", 'SELECT ?, ?, ?'],
    ["SELECT 'a\\' FROM b -- '", 'SELECT ? FROM b'],
    ["SELECT E'a\\'b', e'\\\\', E'a''b'", 'SELECT ?, ?, ?'],
    ["SELECT E'a'\n  -- x\n  '\\'b' FROM c", 'SELECT ? FROM c'],
    ["SELECT E'a' 'b'", 'SELECT ? ?'],
    ["SELECT U&'d\\0061t' UESCAPE '!', u&'x'", 'SELECT ? UESCAPE ?, ?'],
    ["SELECT B'01', x'1F', N'a'", 'SELECT ?, ?, ?'],
    ["SELECT DATE '2020-01-01', '1'::int", 'SELECT DATE ?, ?::int'],
    ["SELECT $$it's$$, $a$b $$ c $b$ $a$, $é$x$é$", 'SELECT ?, ?, ?'],
    ['SELECT 1, -2.5, .5, 1e10, 1.5E-3, 1_000, 0x1F, 0b01', 'SELECT ?, -?, ?, ?, ?, ?, ?, ?'],
    ['SELECT a[1:2], a[1:b], 1..2', 'SELECT a[?:?], a[?:b], ?.?'],
    ['SELECT 123abc, 0xe+5', 'SELECT ?, ?+?'],
    ['SELECT 1$$x$$', 'SELECT ??'],
  ])('in %s', (sql, expected) => expect(sanitized(sql)).toBe(expected));
});

describe('sanitizing keeps everything that is not a literal', () => {
  it.each([
    'SELECT  a1 ,\n\tb_2, "c 3"  FROM t$4',
    'SELECT $1, $2::text, a$$b',
    'SELECT U&"d\\0061t", "it\'s", "a""b"',
    'SELECT a -> b, a #- b, a @> b, a <-> b, a ?| b, a * b / c',
    'SELECT a\u00a0b, größe, 表',
    'SELECT TRUE, NULL;',
    '$ \\ \u0000 {}',
    '  SELECT a ',
  ])('%j', (sql) => expect(sanitized(sql)).toBe(sql));
});

describe('sanitizing removes comments', () => {
  it.each<Row>([
    ['SELECT a -- b\nFROM c', 'SELECT a\nFROM c'],
    ['SELECT a /* b */ FROM c', 'SELECT a FROM c'],
    ['SELECT/* a */b', 'SELECT b'],
    ['/* a */SELECT b', 'SELECT b'],
    ['SELECT a /* b /* c */ d */, e', 'SELECT a , e'],
    ['SELECT a+-- b\nc, d*/* e */f', 'SELECT a+\nc, d* f'],
    ['SELECT -/**/-1', 'SELECT - -?'],
    ['SELECT a /* b', 'SELECT a'],
    ['SELECT a -- b', 'SELECT a'],
    ['SELECT a\u00a0/* b */', 'SELECT a\u00a0'],
    ['-- a\r', '\r'],
  ])('from %j', (sql, expected) => expect(sanitized(sql)).toBe(expected));
});

describe('sanitizing a text that ends within a literal', () => {
  it.each<Row>([
    ["SELECT 'a", 'SELECT ?'],
    ["SELECT E'a\\'", 'SELECT ?'],
    ["SELECT E'a\\", 'SELECT ?'],
    ['SELECT $a$b', 'SELECT ?'],
    ["SELECT \"a WHERE b = 'c'", 'SELECT ?'],
    ['SELECT U&"a', 'SELECT ?'],
  ])('%s has it replaced', (sql, expected) => expect(sanitized(sql)).toBe(expected));
});

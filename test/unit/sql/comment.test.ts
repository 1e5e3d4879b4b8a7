import { describe, expect, it } from 'vitest';
import { appended, endsInComment, sqlComment } from '../../../src/sql/comment.js';

describe('sqlComment', () => {
  it('is empty without pairs', () => expect(sqlComment({})).toBe(''));

  it('sorts its pairs and begins with a space', () => {
    expect(sqlComment({ pool: 'main', application: 'shop', db_driver: 'pg' })).toBe(
      " /*application='shop',db_driver='pg',pool='main'*/",
    );
  });

  it.each([
    ['a b/c', 'a%20b%2Fc'],
    ["it's", "it\\'s"],
    ['*/ DROP TABLE x; /*', '*%2F%20DROP%20TABLE%20x%3B%20%2F*'],
    ['größe', 'gr%C3%B6%C3%9Fe'],
    ['\ud800', '%EF%BF%BD'],
    ['\0\n\\', '%00%0A%5C'],
  ])('encodes %j in keys and values', (text, encoded) => {
    expect(sqlComment({ [text]: text })).toBe(` /*${encoded}='${encoded}'*/`);
  });

  it('is recognised, whatever it contains', () => {
    const pairs = { "it's": "it's", '*/': '*/', "a,b='": "',c='d" };
    expect(endsInComment(`SELECT 1${sqlComment(pairs)}`)).toBe(true);
  });
});

describe('endsInComment', () => {
  it.each([
    "SELECT 1 /*a='b'*/",
    "SELECT 1 /*a='b',c='d'*/ ;\n",
    "SELECT 1; /*a='b'*/",
    "SELECT 1 /*a='b'*/ -- more",
    "SELECT 1 /* own */ /*a=''*/",
  ])('sees the comment of %j', (sql) => expect(endsInComment(sql)).toBe(true));

  it.each([
    '',
    'SELECT 1',
    'SELECT 1 /* own */',
    "/*a='b'*/ SELECT 1",
    "SELECT 1 /*a='b'*/; SELECT 2",
    "SELECT '/*a=''b''*/'",
    "SELECT 1 -- /*a='b'*/",
    "SELECT 1 /*a='b'",
    'SELECT 1 /*a=b*/',
    "SELECT 1 /*a='b',*/",
  ])('sees none in %j', (sql) => expect(endsInComment(sql)).toBe(false));
});

describe('appended', () => {
  const COMMENT = " /*a='b'*/";

  it.each([
    ['SELECT 1', "SELECT 1 /*a='b'*/"],
    ['SELECT 1;', "SELECT 1 /*a='b'*/;"],
    ['SELECT 1 ;\n', "SELECT 1 /*a='b'*/ ;\n"],
    ['SELECT 1; SELECT 2;', "SELECT 1; SELECT 2 /*a='b'*/;"],
    ['SELECT 1 -- own;', "SELECT 1 /*a='b'*/ -- own;"],
    ['SELECT 1 /* own */', "SELECT 1 /*a='b'*/ /* own */"],
    ["SELECT '--'", "SELECT '--' /*a='b'*/"],
  ])('puts a comment into %j where the server reads it as one', (sql, expected) => {
    expect(appended(sql, COMMENT)).toBe(expected);
    expect(endsInComment(expected)).toBe(true);
  });

  it.each(['', ' ; ', '-- nothing', "SELECT 1 /*c='d'*/;"])('does not change %j', (sql) =>
    expect(appended(sql, COMMENT)).toBe(sql),
  );

  it('does not change a text without a comment to append', () =>
    expect(appended('SELECT 1', '')).toBe('SELECT 1'));
});

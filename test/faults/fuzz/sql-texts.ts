import fc from 'fast-check';
import { appended, endsInComment, sqlComment } from '../../../src/sql/comment.js';
import { sanitized } from '../../../src/sql/sanitize.js';
import { summaryOf } from '../../../src/sql/summary.js';
import { hold, SECRET, type Target } from './target.js';

/** A number that occurs in no other part of a text. */
const NUMBER = '7351864209';
const COMMENT = sqlComment({ application: "it's */ fuzz", pool: 'a,b' });
const LIMIT_MS = 20_000;
/** Characters that begin or end a token. */
const CHARACTERS = `'"$/*-eEuU&\\\n a1.;()[]`.split('');

/**
 * Literals and comments that contain a secret, in every form; each also parses as the continuation of an escape string.
 */
const literal = fc.constantFrom(
  ...[
    `'${SECRET}'`,
    `'it''s ${SECRET}'`,
    `'\\\\'`,
    `E'\\'${SECRET}'`,
    `e'\\\\'`,
    `E'a'\n--'\n\t'\\'${SECRET}'`,
  ],
  ...[
    `U&'${SECRET}'`,
    `N'${SECRET}'`,
    `B'${NUMBER}'`,
    `X'${NUMBER}'`,
    `'a'\n'${SECRET}'`,
    `'FROM ${SECRET}'`,
  ],
  ...[
    `$$${SECRET}$$`,
    `$a$ $$ ${SECRET} $b$ $a$`,
    `$é_1$'${SECRET}$é_1$`,
    `$1$$${SECRET}$$`,
    `1$$${SECRET}$$`,
  ],
  ...[NUMBER, `-${NUMBER}`, `.${NUMBER}`, `1.${NUMBER}e-5`, `0x${NUMBER}`, `${NUMBER}::int`, `1e${NUMBER}`],
  ...[`/* ${SECRET} */`, `/* /* */ ' ${SECRET} */`, `-- ${SECRET} '\n`, `+/*${SECRET}*/`, `@-- "${SECRET}\r`],
);
/** Tokens that only the end of the text ends. */
const open = fc.constantFrom(
  ...[`'${SECRET}`, `"a '${SECRET}'`, `$$${SECRET}`, `$a$${SECRET}$b$`, `/* /* ${SECRET} */`, `-- ${SECRET}`],
  ...[`E'${SECRET}\\`, `E'\\'${SECRET}`, `U&"${SECRET}`, `U&'${SECRET}`, '', '', '', '', '', ''],
);
const word = fc.constantFrom(
  ...[
    'SELECT',
    'INSERT INTO',
    'UPDATE',
    'DELETE FROM',
    'MERGE INTO',
    'TABLE',
    'VALUES',
    'CALL',
    'WITH',
    'COPY',
  ],
  ...[
    'CREATE TABLE',
    'DROP INDEX',
    'CREATE FUNCTION',
    'SET',
    'DECLARE',
    'PREPARE',
    'EXPLAIN',
    'VACUUM',
    'LOCK',
  ],
  ...[
    'FROM',
    'JOIN',
    'USING',
    'WHERE',
    'ON',
    'AS',
    'UNION',
    'IN',
    'ONLY',
    'LATERAL',
    'RECURSIVE',
    'BEGIN ATOMIC',
  ],
  ...[
    'a',
    'b . c',
    '"D ""e"',
    'é',
    'f$1',
    'U&"g"',
    '$1',
    '(',
    ')',
    '[',
    ']',
    ',',
    ';',
    '.',
    '->',
    '::',
    '*',
    '\n',
  ],
);
/** Statements with literals, at positions where the server accepts them and where it does not. */
const statement = fc.oneof(
  fc.tuple(word, literal, word, literal).map(([a, x, b, y]) => `${a} ${x} ${b} ${y}`),
  literal.map(
    (x) => `SELECT a, ${x} FROM b JOIN c ON d = ${x} WHERE e IN (${x}, (SELECT f FROM g WHERE ${x}))`,
  ),
  literal.map((x) => `WITH a AS (INSERT INTO b VALUES (${x})) UPDATE c SET d = ${x} FROM a, e`),
  literal.map((x) => `SELECT * FROM f(${x}), a.${x}, ${x} b LIMIT ${x}`),
  literal.map((x) => `CREATE FUNCTION a() RETURNS b AS ${x} LANGUAGE ${x}`),
  fc.array(fc.oneof({ weight: 3, arbitrary: word }, literal), { maxLength: 20 }).map((all) => all.join(' ')),
);
const any = fc.oneof(
  fc
    .array(fc.oneof(word, literal, open, fc.string({ unit: 'binary', maxLength: 3 })))
    .map((all) => all.join('')),
  fc.string({ unit: 'binary' }),
  fc.array(fc.constantFrom(...CHARACTERS)).map((all) => all.join('')),
);

function expectSummary(text: string): string {
  const summary = summaryOf(text);
  hold(summary.length <= 255 && summary === summary.trim(), 'not a summary', summary);
  // Unquoted names contain no apostrophes and no dollar quotes.
  hold(!/'/.test(summary.replaceAll(/"(?:[^"]|"")*"/g, '')), 'a quote in a summary', summary);
  return summary;
}

/** Texts of any kind. */
export const sqlTexts: Target<string> = {
  name: 'sql texts',
  share: 10,
  input: any,
  attempt(text) {
    expectSummary(text);
    const clean = sanitized(text);
    hold(sanitized(clean) === clean, 'sanitized twice, it differs', [clean, sanitized(clean)]);
    const commented = appended(text, COMMENT);
    hold(commented === text || commented.length === text.length + COMMENT.length, 'not appended', commented);
    return Promise.resolve();
  },
};

/** Statements that contain secrets in literals and comments. */
export const statements: Target<{ texts: string[]; end: string }> = {
  name: 'sql statements with secrets',
  share: 10,
  input: fc.record({ texts: fc.array(statement, { minLength: 1, maxLength: 4 }), end: open }),
  attempt({ texts, end }) {
    const text = `${texts.join(' ;')} ${end}`;
    for (const shown of [expectSummary(text), sanitized(text)])
      hold(!shown.includes(SECRET) && !shown.includes(NUMBER), 'a literal is shown', [text, shown]);
    const closed = texts.join(' ;');
    const commented = appended(closed, COMMENT);
    hold(commented === closed || endsInComment(commented), 'the comment is not seen', commented);
    hold(appended(commented, COMMENT) === commented, 'commented twice', commented);
    hold(summaryOf(commented) === summaryOf(closed), 'the comment changes the summary', commented);
    return Promise.resolve();
  },
};

/** Texts of a megabyte, on which code that is not linear takes minutes. */
export const longTexts: Target<{ before: string; piece: string }> = {
  name: 'sql texts of a megabyte',
  share: 0.1,
  input: fc.record({ before: any, piece: fc.oneof(any, word, literal, open).filter((text) => text !== '') }),
  attempt({ before, piece }) {
    const text = before + piece.repeat(Math.ceil(2 ** 20 / piece.length));
    const startedAt = performance.now();
    expectSummary(text);
    sanitized(text);
    appended(text, COMMENT);
    hold(performance.now() - startedAt < LIMIT_MS, 'not linear', [before, piece]);
    return Promise.resolve();
  },
};

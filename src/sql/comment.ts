import { Kind, Lexer } from './lexer.js';

const PAIR = String.raw`(?:[^=',\s\\]|\\.)+='(?:[^'\\]|\\.)*'`;
/** A comment in SQL commenter's format: pairs of a key and a quoted value. */
const PAIRS = new RegExp(String.raw`^/\*${PAIR}(?:,${PAIR})*\*/$`, 's');
/** Longer comments are not parsed. */
const MAX_LENGTH = 8_192;

/**
 * The pairs as a comment of SQL commenter (https://google.github.io/sqlcommenter/spec/), preceded by a space; empty
 * without pairs.
 */
export function sqlComment(pairs: Readonly<Record<string, string>>): string {
  const written = Object.entries(pairs).map(([key, value]) => `${encoded(key)}='${encoded(value)}'`);
  return written.length === 0 ? '' : ` /*${written.sort().join(',')}*/`;
}

/** URL-encoded, so that nothing can end the comment or the quotes. */
function encoded(text: string): string {
  return encodeURIComponent(text.replaceAll(/\p{Cs}/gu, '\ufffd')).replaceAll("'", "\\'");
}

/** Whether a comment of SQL commenter already follows the last statement. */
export function endsInComment(text: string): boolean {
  return lastStatement(text).commented;
}

/**
 * The text with the comment after its last statement: before a semicolon, and before a comment at the end of the text,
 * because a line comment would hide it. The text itself if it already has such a comment, or no statement.
 */
export function appended(text: string, comment: string): string {
  const { end, commented } = lastStatement(text);
  return commented || end === 0 ? text : text.slice(0, end) + comment + text.slice(end);
}

function lastStatement(text: string): { readonly end: number; readonly commented: boolean } {
  const lexer = new Lexer(text);
  let end = 0;
  let commented = false;
  for (let kind = lexer.next(); kind !== Kind.end; kind = lexer.next()) {
    if (kind === Kind.comment)
      commented ||= lexer.end - lexer.start <= MAX_LENGTH && PAIRS.test(text.slice(lexer.start, lexer.end));
    else if (text[lexer.start] !== ';') {
      ({ end } = lexer);
      commented = false;
    }
  }
  return { end, commented };
}

import { Kind } from './lexer.js';
import { QueryReader, type Parts } from './queries.js';
import { readStatement } from './statements.js';
import { Tokens } from './tokens.js';

const MAX_LENGTH = 255;

/**
 * The operations of an SQL text and their targets, in order and as written, joined by spaces: `db.query.summary`. At
 * most 255 characters, no name is truncated; empty if there are none. Contains operations and names, never a literal.
 */
export function summaryOf(text: string): string {
  const parts = new Summary();
  const tokens = new Tokens(text);
  const queries = new QueryReader(tokens, parts);
  while (tokens.kind !== Kind.end && !parts.full) {
    if (!queries.atStart || !readStatement(tokens, queries, parts)) queries.step();
  }
  return parts.text;
}

class Summary implements Parts {
  text = '';
  full = false;

  add(part: string | undefined): void {
    if (part === undefined || this.full) return;
    const text = this.text === '' ? part : `${this.text} ${part}`;
    if (text.length > MAX_LENGTH) this.full = true;
    else this.text = text;
  }
}

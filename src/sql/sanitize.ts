import { Kind, Lexer } from './lexer.js';
import { Class, classAt } from './characters.js';

/** The text with `?` for each string and number, and without its comments, which may quote anything; the rest as written. */
export function sanitized(text: string): string {
  const lexer = new Lexer(text);
  let out = '';
  let copied = 0;
  let commented = false;
  for (let kind = lexer.next(); kind !== Kind.end; kind = lexer.next()) {
    if (kind === Kind.literal) {
      out += `${text.slice(copied, lexer.start)}?`;
      copied = lexer.end;
    } else if (kind === Kind.comment) {
      const before = text.slice(copied, lexer.start);
      const next = lexer.end;
      // One space is left of a comment and the white space round it.
      out +=
        next < text.length && classAt(text, next) !== Class.space ? `${before.trimEnd()} ` : before.trimEnd();
      copied = next;
      commented = true;
    }
  }
  out += text.slice(copied);
  return commented ? out.trim() : out;
}

import { Class, classAt } from './characters.js';
import { Kind, Lexer } from './lexer.js';

/** The text with `?` for each string and number, without comments, which may quote anything; the rest is unchanged. */
export function sanitized(text: string): string {
  const lexer = new Lexer(text);
  let out = '';
  let copied = 0;
  for (let kind = lexer.next(); kind !== Kind.end; kind = lexer.next()) {
    if (kind === Kind.literal) out += `${text.slice(copied, lexer.start)}?`;
    else if (kind === Kind.comment) {
      out += text.slice(copied, spaceBefore(text, copied, lexer.start));
      // Tokens that a comment separates stay apart, unless white space follows it.
      const follows = lexer.end < text.length && classAt(text, lexer.end) !== Class.space;
      if (follows && out !== '') out += ' ';
    } else continue;
    copied = lexer.end;
  }
  return out + text.slice(copied);
}

/** The start of the white space that ends at a position. */
function spaceBefore(text: string, from: number, end: number): number {
  let at = end;
  while (at > from && classAt(text, at - 1) === Class.space) at -= 1;
  return at;
}

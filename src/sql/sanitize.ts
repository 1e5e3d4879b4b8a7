import { Class, classAt } from './characters.js';
import { Kind, Lexer } from './lexer.js';

/** The text with `?` for each string and number, and without its comments, which may quote anything; the rest as written. */
export function sanitized(text: string): string {
  const lexer = new Lexer(text);
  let out = '';
  let copied = 0;
  for (let kind = lexer.next(); kind !== Kind.end; kind = lexer.next()) {
    if (kind === Kind.literal) out += `${text.slice(copied, lexer.start)}?`;
    else if (kind === Kind.comment) {
      out += text.slice(copied, spaceBefore(text, copied, lexer.start));
      // What a comment separates stays apart, unless there is white space after it.
      const follows = lexer.end < text.length && classAt(text, lexer.end) !== Class.space;
      if (follows && out !== '') out += ' ';
    } else continue;
    copied = lexer.end;
  }
  return out + text.slice(copied);
}

/** Where the white space begins that ends at a place. */
function spaceBefore(text: string, from: number, end: number): number {
  let at = end;
  while (at > from && classAt(text, at - 1) === Class.space) at -= 1;
  return at;
}

// The ends of the parts of a text that may contain anything: each function takes the position of a part's first
// character and returns the position after its last one. Each reads every character once; no regular expression can
// overflow the stack.
import { Class, classAt } from './characters.js';

/** Text in quotes, with doubled quotes inside: `'it''s'`, `"a""b"`; -1 if it is not closed. */
export function endOfQuoted(text: string, at: number, quote: string): number {
  for (let from = at + 1; ; from += 2) {
    from = text.indexOf(quote, from);
    if (from < 0) return -1;
    if (text[from + 1] !== quote) return from + 1;
  }
}

/** A string with backslash escapes, from its quote, including its continuation lines; -1 if it is not closed. */
export function endOfEscaped(text: string, at: number): number {
  for (let from = at + 1; from < text.length; from += 1) {
    const char = text[from];
    if (char === '\\') from += 1;
    else if (char === "'") {
      if (text[from + 1] === "'") from += 1;
      else {
        const next = nextPiece(text, from + 1);
        if (next < 0) return from + 1;
        from = next;
      }
    }
  }
  return -1;
}

/** The quote that continues a string, after line comments and white space with a newline; -1 if there is none. */
function nextPiece(text: string, at: number): number {
  let newline = false;
  for (let from = at; from < text.length; from += 1) {
    const char = text[from];
    if (char === "'") return newline ? from : -1;
    if (char === '-' && text[from + 1] === '-') from = endOfLineComment(text, from) - 1;
    else if (char === '\n' || char === '\r') newline = true;
    else if (classAt(text, from) !== Class.space) return -1;
  }
  return -1;
}

/** Text in dollar quotes: the end of the whole text if it is not closed, -1 if the dollar begins no quote. */
export function endOfDollarQuoted(text: string, at: number): number {
  let start = at + 1;
  if (classAt(text, start) === Class.letter) while (isWordPart(classAt(text, start))) start += 1;
  if (text[start] !== '$') return -1;
  start += 1;
  const tag = text.slice(at, start);
  // From dollar to dollar, because a search for the whole tag could compare a long tag repeatedly.
  for (let from = text.indexOf('$', start); from >= 0; from = text.indexOf('$', from + 1))
    if (text.startsWith(tag, from)) return from + tag.length;
  return text.length;
}

/** A number, and the letters that follow it without a space. */
export function endOfNumber(text: string, at: number): number {
  const hexadecimal = text[at + 1] === 'x' || text[at + 1] === 'X';
  let point = false;
  for (let end = at; ; end += 1) {
    if (isWordPart(classAt(text, end))) continue;
    const char = text[end];
    if (char === '.' && !point && text[end + 1] !== '.') point = true;
    else if (hexadecimal || !isExponentSign(text, end)) return end;
  }
}

function isWordPart(kind: number): boolean {
  return kind === Class.letter || kind === Class.digit;
}

function isExponentSign(text: string, at: number): boolean {
  const [before, char] = [text[at - 1], text[at]];
  return (
    (char === '+' || char === '-') &&
    (before === 'e' || before === 'E') &&
    classAt(text, at + 1) === Class.digit
  );
}

/** A comment to the end of its line. */
export function endOfLineComment(text: string, at: number): number {
  let end = at;
  while (end < text.length && text[end] !== '\n' && text[end] !== '\r') end += 1;
  return end;
}

/** A block comment, which may be nested. */
export function endOfBlockComment(text: string, at: number): number {
  let depth = 1;
  for (let from = at + 2; from < text.length; from += 1) {
    const char = text[from];
    if (char === '*' && text[from + 1] === '/') {
      from += 1;
      depth -= 1;
      if (depth === 0) return from + 1;
    } else if (char === '/' && text[from + 1] === '*') {
      from += 1;
      depth += 1;
    }
  }
  return text.length;
}

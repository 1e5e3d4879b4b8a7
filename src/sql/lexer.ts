import { Class, classAt, continuesWord } from './characters.js';
import {
  endOfBlockComment,
  endOfDollarQuoted,
  endOfEscaped,
  endOfLineComment,
  endOfNumber,
  endOfQuoted,
} from './literals.js';
import { hashed } from './words.js';

/** The kind of a token. */
export const Kind = {
  end: 0,
  /** A keyword or a name without quotes. */
  word: 1,
  /** A name in double quotes. */
  quoted: 2,
  /** A string of any kind or a number; also an unclosed quoted name, which may contain one. */
  literal: 3,
  /** `$1` */
  parameter: 4,
  comment: 5,
  /** One of `()[],;.:` */
  punctuation: 6,
  /** An operator, or a character that begins no token. */
  operator: 7,
} as const;

const APOSTROPHE = "'".charCodeAt(0);
const AMPERSAND = '&'.charCodeAt(0);

/**
 * The tokens of an SQL text by PostgreSQL's rules (with `standard_conforming_strings`, its default). Reads each
 * character a bounded number of times, accepts any text, and never fails: an unclosed token ends with the text.
 */
export class Lexer {
  readonly text: string;
  kind: number = Kind.end;
  /** The position of the token's first character. */
  start = 0;
  /** The position after its last one. */
  end = 0;
  /** Whether all characters of a word are ASCII. */
  ascii = true;
  /** The hash of a word. */
  hash = 0;

  constructor(text: string) {
    this.text = text;
  }

  /** Advances to the next token and returns its kind. */
  next(): number {
    const { text } = this;
    let at = this.end;
    let kind = classAt(text, at);
    for (; kind === Class.space; kind = classAt(text, at)) at += 1;
    this.start = at;
    this.end = at + 1;
    if (at >= text.length) {
      this.end = at;
      return (this.kind = Kind.end);
    }
    switch (kind) {
      case Class.letter:
        return (this.kind = this.#word(at));
      case Class.digit:
        return this.#until(endOfNumber(text, at), Kind.literal);
      case Class.operator:
        return (this.kind = this.#operator(at));
      case Class.punctuation:
        if (text[at] === '.' && classAt(text, at + 1) === Class.digit)
          return this.#until(endOfNumber(text, at), Kind.literal);
        return (this.kind = Kind.punctuation);
      default:
        return (this.kind = this.#other(at));
    }
  }

  /** Ends the token; an unclosed token ends with the text. */
  #until(end: number, kind: number): number {
    this.end = end < 0 ? this.text.length : end;
    return (this.kind = kind);
  }

  #word(at: number): number {
    const { text } = this;
    let code = text.charCodeAt(at + 1);
    if (code === APOSTROPHE || code === AMPERSAND) {
      const literal = this.#prefixed(at);
      if (literal !== undefined) return literal;
    }
    let codes = text.charCodeAt(at);
    let hash = hashed(0, codes);
    let end = at + 1;
    for (; continuesWord(code); code = text.charCodeAt(end)) {
      codes |= code;
      hash = hashed(hash, code);
      end += 1;
    }
    this.hash = hash;
    this.end = end;
    this.ascii = codes < 128;
    return Kind.word;
  }

  /** A string or a name that begins with a letter: `E'…'`, `B'…'`, `X'…'`, `N'…'`, `U&'…'`, `U&"…"`. */
  #prefixed(at: number): number | undefined {
    const { text } = this;
    const next = text[at + 1];
    if (next === "'") {
      const prefix = text[at];
      if (prefix === 'e' || prefix === 'E') return this.#until(endOfEscaped(text, at + 1), Kind.literal);
      if ('bBxXnN'.includes(prefix as string))
        return this.#until(endOfQuoted(text, at + 1, next), Kind.literal);
    } else if (next === '&' && (text[at] === 'u' || text[at] === 'U')) {
      if (text[at + 2] === "'") return this.#until(endOfQuoted(text, at + 2, "'"), Kind.literal);
      if (text[at + 2] === '"') return this.#quoted(at + 2);
    }
    return undefined;
  }

  #quoted(at: number): number {
    const end = endOfQuoted(this.text, at, '"');
    return end < 0 ? this.#until(end, Kind.literal) : this.#until(end, Kind.quoted);
  }

  #operator(at: number): number {
    const { text } = this;
    let end = at;
    for (; classAt(text, end) === Class.operator; end += 1) {
      const comment = text[end] === '-' ? '-' : text[end] === '/' ? '*' : undefined;
      if (comment === undefined || text[end + 1] !== comment) continue;
      if (end > at) break;
      const find = comment === '-' ? endOfLineComment : endOfBlockComment;
      return this.#until(find(text, at), Kind.comment);
    }
    return this.#until(end, Kind.operator);
  }

  #other(at: number): number {
    const { text } = this;
    switch (text[at]) {
      case "'":
        return this.#until(endOfQuoted(text, at, "'"), Kind.literal);
      case '"':
        return this.#quoted(at);
      case '$': {
        if (classAt(text, at + 1) === Class.digit) {
          let end = at + 2;
          while (classAt(text, end) === Class.digit) end += 1;
          return this.#until(end, Kind.parameter);
        }
        const end = endOfDollarQuoted(text, at);
        return end < 0 ? Kind.operator : this.#until(end, Kind.literal);
      }
      default:
        return Kind.operator;
    }
  }
}

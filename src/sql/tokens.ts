import { Kind, Lexer } from './lexer.js';
import { reservedWord } from './words.js';

/** The tokens of a text without its comments, read one at a time. */
export class Tokens {
  readonly #lexer: Lexer;
  kind: number = Kind.end;
  /** The meaning of the token: a punctuation character or a reserved word in capitals; empty for all others. */
  sign = '';

  constructor(text: string) {
    this.#lexer = new Lexer(text);
    this.advance();
  }

  /** Advances to the next token and returns its kind. */
  advance(): number {
    const lexer = this.#lexer;
    const isMember = this.sign === '.';
    do this.kind = lexer.next();
    while (this.kind === Kind.comment);
    const { text, start, end, hash } = lexer;
    if (this.kind === Kind.punctuation) this.sign = text[start] as string;
    else this.sign = this.kind === Kind.word && !isMember ? reservedWord(text, start, end, hash) : '';
    return this.kind;
  }

  /** The token as written. */
  get text(): string {
    return this.#lexer.text.slice(this.#lexer.start, this.#lexer.end);
  }

  /** A word in capitals, to compare keywords; empty for a token that cannot be a keyword. */
  word(): string {
    return this.kind === Kind.word && this.#lexer.ascii ? this.text.toUpperCase() : '';
  }

  /** Skips the words of a set, in any order. */
  skip(words: ReadonlySet<string>): void {
    while (words.has(this.word())) this.advance();
  }

  /** Reads a name with its schema, as written; undefined if there is none. */
  name(): string | undefined {
    if (!this.#isName()) return undefined;
    let name = this.text;
    for (this.advance(); this.sign === '.';) {
      this.advance();
      if (!this.#isName()) break;
      name += `.${this.text}`;
      this.advance();
    }
    return name;
  }

  /** Advances to a sign of this statement outside parentheses; without a sign, to the end of the statement. */
  seek(sign?: string): void {
    for (let depth = 0; this.kind !== Kind.end; this.advance()) {
      if (depth <= 0 && (this.sign === ';' || this.sign === sign)) return;
      if (this.sign === '(' || this.sign === '[') depth += 1;
      else if (this.sign === ')' || this.sign === ']') depth -= 1;
    }
  }

  /** Advances to the end of a statement that may contain others, between BEGIN ATOMIC and END. */
  seekRoutineEnd(): void {
    let depth = 0;
    for (let before = ''; this.kind !== Kind.end; this.advance()) {
      if (depth === 0 && this.sign === ';') return;
      const word = this.word();
      if (before === 'BEGIN' && word === 'ATOMIC') depth = 1;
      else if (depth > 0 && word === 'CASE') depth += 1;
      else if (depth > 0 && word === 'END') depth -= 1;
      before = word;
    }
  }

  /** Skips parentheses, if they begin here. */
  skipParentheses(): void {
    if (this.sign !== '(') return;
    this.advance();
    this.seek(')');
    this.advance();
  }

  #isName(): boolean {
    return (this.kind === Kind.word && this.sign === '') || this.kind === Kind.quoted;
  }
}

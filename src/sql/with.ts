import type { Frame } from './frame.js';
import { Kind } from './lexer.js';
import type { Tokens } from './tokens.js';

/** Reads a token of a WITH clause that is outside its queries. */
export function readWith(frame: Frame, tokens: Tokens): void {
  if (frame.state === 'with-name') {
    readName(frame, tokens);
    return;
  }
  switch (frame.state) {
    case 'with-as':
      if (tokens.sign === 'AS') frame.state = 'with-body';
      break;
    case 'with-tail':
      if (tokens.word() === 'SET') frame.state = 'with-next';
      break;
    case 'with-next': {
      const word = tokens.word();
      if (tokens.sign === ',') frame.state = 'with-name';
      else if (word === 'SEARCH' || word === 'CYCLE') frame.state = 'with-tail';
      else if (word === 'VALUES') frame.state = 'closed';
      break;
    }
  }
  tokens.advance();
}

function readName(frame: Frame, tokens: Tokens): void {
  const recursive = tokens.word() === 'RECURSIVE';
  const name = tokens.name();
  if (name === undefined) tokens.advance();
  // `WITH recursive AS (…)` names a query.
  else if (recursive && tokens.sign === '' && (tokens.kind === Kind.word || tokens.kind === Kind.quoted))
    frame.recursive = true;
  else {
    frame.name = folded(name);
    frame.state = 'with-as';
  }
}

/** The names of the `WITH` queries that are in scope. */
export class WithNames {
  readonly #counts = new Map<string, number>();

  /** Adds a name until its frame is left. */
  add(frame: Frame, name: string): void {
    (frame.known ??= []).push(name);
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + 1);
  }

  leave({ known = [] }: Frame): void {
    for (const name of known) {
      const count = this.#counts.get(name) ?? 0;
      if (count > 1) this.#counts.set(name, count - 1);
      else this.#counts.delete(name);
    }
  }

  has(name: string): boolean {
    return this.#counts.size > 0 && this.#counts.has(folded(name));
  }
}

/** A name as PostgreSQL compares it. */
export function folded(name: string): string {
  if (name.startsWith('"')) return name.slice(1, -1).replaceAll('""', '"');
  return name.replaceAll(/[A-Z]+/g, (letters) => letters.toLowerCase());
}

import { WatchError } from './watch-error.js';

/** One sample of an exposition. */
export interface Sample {
  /** With `_` in place of the characters that older versions of Prometheus do not allow in a name. */
  readonly name: string;
  /** Names as above; values unchanged, whatever they contain. */
  readonly labels: ReadonlyMap<string, string>;
  readonly value: number;
}

// Our series are far shorter, and a longer line would slow down the regular expressions.
const LONGEST_LINE = 65_536;
const NAME = /[a-zA-Z_:][a-zA-Z0-9_:.]*/y;
const QUOTED = /"((?:[^"\\\n]|\\.)*)"/y;
const BLANKS = /[ \t]*/y;
const VALUE = /([^\s#]+)(?=\s|$)/y;
const ESCAPED: Readonly<Record<string, string>> = { n: '\n', '\\': '\\', '"': '"' };

/**
 * The samples with a wanted name, from a text in Prometheus' text format 0.0.4 or 1.0.0 (quoted names) or in
 * OpenMetrics; timestamps and exemplars are left out. Throws `WatchError` at the first line in none of these formats.
 */
export function* samplesOf(text: string, wanted: (name: string) => boolean): Generator<Sample> {
  let number = 0;
  for (let start = 0; start < text.length;) {
    const found = text.indexOf('\n', start);
    const end = found < 0 ? text.length : found;
    number += 1;
    const sample = read(text.slice(start, end), number, wanted);
    if (sample !== undefined) yield sample;
    start = end + 1;
  }
}

function read(line: string, number: number, wanted: (name: string) => boolean): Sample | undefined {
  if (/^\s*(#|$)/.test(line)) return undefined;
  const cursor = new Cursor(line, number);
  cursor.skip();
  let name = line.startsWith('{', cursor.at) ? undefined : cursor.name();
  if (name !== undefined && !wanted(name)) return undefined;
  const labels = new Map<string, string>();
  cursor.skip();
  if (cursor.take('{')) {
    cursor.skip();
    while (!cursor.take('}')) {
      const label = cursor.name();
      cursor.skip();
      // A quoted name is among the labels, without a value.
      if (cursor.take('=')) labels.set(label, cursor.quoted());
      else if (name === undefined) name = label;
      else throw cursor.failure();
      cursor.skip();
      if (!cursor.take(',') && !line.startsWith('}', cursor.at)) throw cursor.failure();
      cursor.skip();
    }
  }
  if (name === undefined) throw cursor.failure();
  cursor.skip();
  return wanted(name) ? { name, labels, value: cursor.value() } : undefined;
}

/** A position in a line. */
class Cursor {
  at = 0;

  constructor(
    private readonly line: string,
    private readonly number: number,
  ) {
    if (line.length > LONGEST_LINE) throw this.failure();
  }

  skip(): void {
    this.#match(BLANKS);
  }

  take(text: string): boolean {
    if (!this.line.startsWith(text, this.at)) return false;
    this.at += text.length;
    return true;
  }

  name(): string {
    const name = this.line.startsWith('"', this.at) ? this.quoted() : this.#match(NAME)?.[0];
    if (name === undefined) throw this.failure();
    return name.replaceAll(/[^a-zA-Z0-9_:]/g, '_');
  }

  quoted(): string {
    this.skip();
    const text = this.#match(QUOTED)?.[1];
    if (text === undefined) throw this.failure();
    return text.replaceAll(/\\(.)/g, (whole, character: string) => ESCAPED[character] ?? whole);
  }

  value(): number {
    const text = this.#match(VALUE)?.[1];
    if (text === undefined) throw this.failure();
    const infinite = /^([+-]?)inf(inity)?$/i.exec(text);
    if (infinite) return infinite[1] === '-' ? -Infinity : Infinity;
    const value = Number(text);
    if (Number.isNaN(value) && !/^nan$/i.test(text)) throw this.failure();
    return value;
  }

  failure(): WatchError {
    return new WatchError(`it does not answer in Prometheus' text format (line ${this.number})`);
  }

  #match(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.line);
    if (found) this.at = pattern.lastIndex;
    return found;
  }
}

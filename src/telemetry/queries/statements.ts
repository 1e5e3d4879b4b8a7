import type { Attributes } from '@opentelemetry/api';
import type { QueryTelemetry } from '../../hooks.js';
import type { GivenQuery } from '../../observer.js';
import { endsInComment } from '../../sql/comment.js';
import { sanitized } from '../../sql/sanitize.js';
import { ATTR } from '../names.js';
import { TextMemo } from './memo.js';
import type { Summaries, Summary } from './summaries.js';
import type { Series } from './targets.js';

/** Facts about one SQL text, each computed on first use. */
export class Statement {
  readonly summary: Summary;
  readonly #text: string;
  #sanitized: string | undefined;
  #takesComment: boolean | undefined;
  #withText: { readonly base: Attributes; readonly attributes: Attributes } | undefined;

  constructor(summary: Summary, text: string) {
    this.summary = summary;
    this.#text = text;
  }

  /** The text with every literal replaced. */
  get sanitized(): string {
    return (this.#sanitized ??= sanitized(this.#text));
  }

  /** Whether a comment may be appended: the text is not empty and does not already end in an SQL commenter comment. */
  get takesComment(): boolean {
    return (this.#takesComment ??= this.#text !== '' && !endsInComment(this.#text));
  }

  /** The value of `db.query.text`, if the span is to have one. */
  shown(query: GivenQuery, mode: QueryTelemetry['text']): string | undefined {
    if (mode === 'never' || this.#text === '') return undefined;
    if (query.parameterized) return this.#text;
    return mode === 'sanitized' ? this.sanitized : undefined;
  }

  /** The attributes of a span at its start: those of its series, with `db.query.text` if the span is to have it. */
  spanAttributes({ span: base }: Series, query: GivenQuery, mode: QueryTelemetry['text']): Attributes {
    const text = this.shown(query, mode);
    if (text === undefined) return base;
    // A statement mostly runs at one target.
    if (this.#withText?.base !== base || this.#withText.attributes[ATTR.dbQueryText] !== text)
      this.#withText = { base, attributes: { ...base, [ATTR.dbQueryText]: text } };
    return this.#withText.attributes;
  }
}

/** The statements of one pool. */
export class Statements {
  readonly #memo = new TextMemo<Statement>();
  readonly #summaries: Summaries;
  readonly #byName: boolean;

  /** With `byName`, statements with the same text but different names are kept apart. */
  constructor(summaries: Summaries, byName: boolean) {
    this.#summaries = summaries;
    this.#byName = byName;
  }

  /** The statement of a query. */
  of(query: GivenQuery): Statement {
    const { text, name } = query;
    const key = this.#byName && name !== undefined ? `${name}\0${text}` : text;
    let statement = this.#memo.find(key);
    if (statement === undefined) {
      statement = new Statement(this.#summaries.of(query), text);
      this.#memo.keep(key, statement);
    }
    return statement;
  }
}

import type { QueryTelemetry } from '../../hooks.js';
import type { GivenQuery } from '../../observer.js';
import { summaryOf } from '../../sql/summary.js';
import { ERROR_TYPE } from '../names.js';

/** Distinct summaries that one pool reports before it falls back to `_OTHER`. */
export const MAX_SUMMARIES = 500;
/** The longest summary, in characters. */
export const MAX_SUMMARY_LENGTH = 255;

/** A summary: one object for all queries of a pool that have it. */
export interface Summary {
  /** `undefined` for a text without a statement. */
  readonly text: string | undefined;
}

const NONE: Summary = { text: undefined };
const OTHER: Summary = { text: ERROR_TYPE.other };

/** The summaries of one pool, limited in number because each one is a series of its own. */
export class Summaries {
  readonly #own: QueryTelemetry['summary'];
  readonly #refused: () => void;
  readonly #known = new Map<string, Summary>();
  #told = false;

  /** `refused` is called when the user's function has failed for the first time. */
  constructor(own: QueryTelemetry['summary'], refused: () => void) {
    this.#own = own;
    this.#refused = refused;
  }

  /** The summary of a query, or `_OTHER` for a new one once {@link MAX_SUMMARIES} have been reported. */
  of(query: GivenQuery): Summary {
    const text = this.#own === undefined ? summaryOf(query.text) : this.#ownOf(this.#own, query);
    if (text === '') return NONE;
    let summary = this.#known.get(text);
    if (summary !== undefined) return summary;
    if (this.#known.size >= MAX_SUMMARIES) return OTHER;
    summary = { text };
    this.#known.set(text, summary);
    return summary;
  }

  #ownOf(own: NonNullable<QueryTelemetry['summary']>, { text, name }: GivenQuery): string {
    const summary = attempt(() => own(name === undefined ? { text } : { text, name }));
    if (isSummary(summary)) return summary;
    if (summary != null && !this.#told) {
      this.#told = true;
      this.#refused();
    }
    return summaryOf(text);
  }
}

const FAILED = Symbol('failed');

function attempt(run: () => unknown): unknown {
  try {
    const result = run();
    // An async function returns a promise despite its type, and an unhandled rejection would end the process.
    if (result instanceof Promise) result.catch(() => undefined);
    return result;
  } catch {
    return FAILED;
  }
}

function isSummary(value: unknown): value is string {
  return (
    typeof value === 'string' &&
    value !== '' &&
    value.length <= MAX_SUMMARY_LENGTH &&
    !/[\p{Cc}\p{Cs}]/u.test(value)
  );
}

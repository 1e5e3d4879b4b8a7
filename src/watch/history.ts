import { choicesOf, figuresOf, type Figures } from './figures.js';
import type { Reading, Selection } from './reading.js';
import { SCRAPE_LIMITS } from './scrape.js';

/** A named span of time, in Unix milliseconds; one without an end is still in progress. */
export interface Band {
  readonly name: string;
  readonly from: number;
  readonly to?: number;
}

/** Whether the process answers, with a text. */
export interface State {
  readonly live: boolean;
  readonly text: string;
}

/** The data sent to a page: everything at first, later only new data. */
export interface Update {
  readonly title: string;
  readonly state: State;
  readonly choices: ReturnType<typeof choicesOf>;
  readonly bands: readonly Band[];
  readonly figures: readonly Figures[];
  readonly lines: readonly string[];
  /** Readings further apart than this have a gap between them, in milliseconds. */
  readonly gapMs: number;
}

const MOST_READINGS = 900;
const MOST_LINES = 200;
const MOST_BANDS = 20;
const LONGEST_LINE = 2_000;
/** Rates and waits are over this period, in milliseconds; tokens are rarer. */
export const WINDOW_MS = 5_000;

/** The latest readings and the events between them; bounded. */
export class History {
  readonly #readings: Reading[] = [];
  readonly #lines: string[] = [];
  readonly #bands: Band[] = [];
  readonly #listeners = new Set<() => void>();
  readonly #gapMs: number;
  #state: State;
  #taken = 0;
  #said = 0;

  /** A reading is added every `intervalMs`, or as soon as a slow endpoint has answered. */
  constructor(
    readonly title: string,
    state: State,
    intervalMs: number,
  ) {
    this.#state = state;
    this.#gapMs = 2 * intervalMs + SCRAPE_LIMITS.ms;
  }

  add(reading: Reading): void {
    this.#readings.push(reading);
    this.#taken += 1;
    if (this.#readings.length > MOST_READINGS) this.#readings.shift();
    this.#changed();
  }

  /** Ends the current band and begins another. */
  band(name: string): void {
    const from = Date.now();
    this.endBand(from);
    this.#bands.push({ name, from });
    if (this.#bands.length > MOST_BANDS) this.#bands.shift();
    this.#changed();
  }

  endBand(to = Date.now()): void {
    const last = this.#bands.pop();
    if (last) this.#bands.push({ to, ...last });
  }

  line(text: string): void {
    this.#lines.push(text.slice(0, LONGEST_LINE));
    this.#said += 1;
    if (this.#lines.length > MOST_LINES) this.#lines.shift();
    this.#changed();
  }

  state(state: State): void {
    this.#state = state;
    this.#changed();
  }

  get stateNow(): State {
    return this.#state;
  }

  /** The latest reading. */
  get reading(): Reading | undefined {
    return this.#readings.at(-1);
  }

  /** The latest figures. */
  figures(selection: Selection = {}): Figures | undefined {
    return this.#readings.length > 0 ? this.#figuresAt(this.#readings.length - 1, selection) : undefined;
  }

  /** The data after the reading and the line in `seen`; also returns how far it goes. */
  since(seen: Seen, selection: Selection): { update: Update; seen: Seen } {
    const first = Math.max(0, this.#readings.length - (this.#taken - seen.readings));
    const figures = this.#readings.slice(first).map((_, i) => this.#figuresAt(first + i, selection));
    const lines = this.#lines.slice(Math.max(0, this.#lines.length - (this.#said - seen.lines)));
    const { title, reading } = this;
    const choices = reading ? choicesOf(reading) : { pools: [], instances: [] };
    const update = {
      title,
      state: this.#state,
      choices,
      bands: [...this.#bands],
      figures,
      lines,
      gapMs: this.#gapMs,
    };
    return { update, seen: { readings: this.#taken, lines: this.#said } };
  }

  /** Calls `listener` at each change until the returned function is called. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  #figuresAt(index: number, selection: Selection): Figures {
    const now = this.#readings[index] as Reading;
    const at = (i: number): number => this.#readings[i]?.at ?? 0;
    let before = index;
    while (before > 0 && now.at - at(before) < WINDOW_MS && at(before) - at(before - 1) <= this.#gapMs)
      before -= 1;
    // Without an earlier reading, as after a gap, rates are unknown, and latencies would cover all the time before.
    return figuresOf(now, this.#readings[before], selection);
  }

  #changed(): void {
    for (const listener of this.#listeners) listener();
  }
}

/** How much of a history has been sent. */
export interface Seen {
  readonly readings: number;
  readonly lines: number;
}

/** Nothing sent yet. */
export const NOTHING_SEEN: Seen = { readings: 0, lines: 0 };

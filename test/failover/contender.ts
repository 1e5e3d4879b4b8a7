import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseEvent, type LoadEvent } from './contenders/events.js';
import type { Place, Way } from './contenders/place.js';
import { endsWithUs } from '../support/children.js';

/** A program that loads the cluster, and the way in which it connects. */
export interface ContenderSpec {
  readonly name: 'pgauge' | 'pg.Pool' | 'pgxpool';
  readonly way: Way;
}

export const CONTENDERS: readonly ContenderSpec[] = [
  { name: 'pgauge', way: 'hosts' },
  { name: 'pgauge', way: 'haproxy' },
  { name: 'pgauge', way: 'name' },
  { name: 'pg.Pool', way: 'haproxy' },
  { name: 'pg.Pool', way: 'name' },
  { name: 'pgxpool', way: 'hosts' },
];

const STOP_WITHIN_MS = 90_000;

/** A contender's process, and the events it has reported. */
export class Contender {
  readonly spec: ContenderSpec;
  readonly events: LoadEvent[] = [];
  readonly #child;
  #said = '';

  /** Starts it; `pgxpool` is the path of the program built from Go. */
  constructor(spec: ContenderSpec, place: Omit<Place, 'way' | 'contender'>, pgxpool: string) {
    this.spec = spec;
    const file = { pgauge: 'pgauge.ts', 'pg.Pool': 'pg-pool.ts', pgxpool: undefined }[spec.name];
    const script = file && fileURLToPath(new URL(`contenders/${file}`, import.meta.url));
    const [program, args] = script ? [process.execPath, ['--import', 'tsx', script]] : [pgxpool, []];
    const own: Place = { ...place, way: spec.way, contender: this.id };
    const { PATH = '', HOME = '' } = process.env;
    this.#child = spawn(program, args, {
      env: { PATH, HOME, FAILOVER_PLACE: JSON.stringify(own) },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    endsWithUs(this.#child);
    createInterface(this.#child.stdout).on('line', (line) => this.events.push(parseEvent(line)));
    this.#child.stderr.setEncoding('utf8').on('data', (text: string) => (this.#said += text));
  }

  /** The value that marks its rows. */
  get id(): string {
    return `${this.spec.name}/${this.spec.way}`;
  }

  /** Whether one of its writes was acknowledged since then. */
  wroteSince(at: number): boolean {
    const last = this.events.findLast(({ kind }) => kind === 'acked');
    return last !== undefined && last.at >= at;
  }

  /** Throws with its output if its process has ended. */
  check(): void {
    const { exitCode, signalCode } = this.#child;
    if (exitCode !== null || signalCode !== null) {
      throw new Error(`${this.id} ended (${exitCode ?? signalCode ?? ''}): ${this.#said}`);
    }
  }

  /** Stops it, and returns the totals of its pool. */
  async stop(): Promise<Readonly<Record<string, number>>> {
    this.#child.kill('SIGTERM');
    const killer = setTimeout(() => this.#child.kill('SIGKILL'), STOP_WITHIN_MS);
    await once(this.#child, 'close');
    clearTimeout(killer);
    const ended = this.events.findLast(({ kind }) => kind === 'ended');
    if (!ended) throw new Error(`${this.id} did not end by itself: ${this.#said}`);
    return JSON.parse(ended.words.join(' ')) as Record<string, number>;
  }
}

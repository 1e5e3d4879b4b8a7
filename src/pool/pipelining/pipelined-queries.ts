import type { ConnectionEngine } from '../../connection/connection-kind.js';
import type { PooledConnection } from '../../connection/pooled-connection.js';
import type { PipeliningSettings } from '../../settings/pipelining.js';
import type { Acquires } from '../acquire.js';
import { Queries } from '../queries.js';
import type { QueryCallback } from '../run-query.js';
import { isEligible } from './eligible.js';
import { Lanes } from './lanes.js';
import { runShared } from './run-shared.js';

type Entry = (...args: never[]) => unknown;

/** The queries of a pool, which share connections if pipelining is on. */
export function queriesOf(
  { pipelining }: { readonly pipelining: PipeliningSettings | undefined },
  engine: ConnectionEngine,
  acquires: Acquires,
  entry: Entry,
): Queries {
  if (pipelining === undefined) return new Queries(acquires, entry);
  return new PipelinedQueries(acquires, entry, new Lanes(engine, pipelining.depth), pipelining.texts);
}

/** Runs eligible queries on connections that already serve others, if none is idle and none may be made. */
class PipelinedQueries extends Queries {
  readonly #lanes: Lanes;
  readonly #texts: boolean;

  constructor(acquires: Acquires, entry: Entry, lanes: Lanes, texts: boolean) {
    super(acquires, entry);
    this.#lanes = lanes;
    this.#texts = texts;
  }

  override get pipelined(): number {
    return this.#lanes.beyondOne;
  }

  override readonly lost = (connection: PooledConnection): void => this.#lanes.lost(connection);

  protected override run(query: unknown, values: unknown, callback: QueryCallback): void {
    if (!isEligible(query, values, this.#texts)) {
      super.run(query, values, callback);
      return;
    }
    const name = (query as { readonly name?: string }).name || undefined;
    const lane = this.acquires.ending ? undefined : this.#lanes.pick(name);
    if (lane !== undefined) {
      this.acquires.joined();
      runShared(this.#lanes, lane, query, values, callback);
      return;
    }
    const serve = (connection: PooledConnection): void => {
      const own = this.#lanes.of(connection);
      runShared(this.#lanes, own, query, values, callback);
      // The connection may have room for waiting queries.
      this.#lanes.fill();
    };
    this.acquires.callback(this.entry, serve, callback, { shares: { name } });
  }
}

import type { Attributes } from '@opentelemetry/api';
import type { QuerySession } from '../../observer.js';
import { ATTR, DB_SYSTEM_NAME } from '../names.js';
import type { Summary } from './summaries.js';

/** The port that the conventions leave out. */
const DEFAULT_PORT = 5432;
/** The number of targets that a pool keeps in memory: a hook may dial a new host each time. */
const MAX_TARGETS = 64;

/** The attributes shared by all queries with one summary at one target, created once. */
export class Series {
  /** The metric attributes of a query that was answered. */
  readonly answered: Attributes;
  /** The attributes of a span at its start. */
  readonly span: Attributes;
  readonly #failed = new Map<string, Attributes>();

  constructor({ host, port, database }: QuerySession, poolName: string, { text }: Summary) {
    // In alphabetical order: the SDK sorts them at every record.
    this.answered = {
      [ATTR.poolName]: poolName,
      [ATTR.dbNamespace]: database,
      ...(text !== undefined && { [ATTR.dbQuerySummary]: text }),
      [ATTR.dbSystemName]: DB_SYSTEM_NAME,
      [ATTR.serverAddress]: host,
      ...(port !== DEFAULT_PORT && { [ATTR.serverPort]: port }),
    };
    this.span = { ...this.answered, [ATTR.serverPort]: port };
  }

  /** The metric attributes of a query that failed; `status` is the SQLSTATE, if the server answered. */
  failed(errorType: string, status: string | undefined): Attributes {
    const key = status === undefined ? errorType : `${errorType} ${status}`;
    let attributes = this.#failed.get(key);
    if (attributes === undefined) {
      attributes = {
        ...this.answered,
        [ATTR.errorType]: errorType,
        ...(status !== undefined && { [ATTR.dbResponseStatusCode]: status }),
      };
      this.#failed.set(key, attributes);
    }
    return attributes;
  }
}

/** The target of queries: a host, a port and a database. */
export class Target {
  readonly database: string;
  readonly #session: QuerySession;
  readonly #poolName: string;
  readonly #series = new Map<Summary, Series>();

  constructor({ host, port, database, pid, peerAddress }: QuerySession, poolName: string) {
    this.database = database;
    // A copy, which does not keep the connection in memory.
    this.#session = { host, port, database, pid, peerAddress };
    this.#poolName = poolName;
  }

  series(summary: Summary): Series {
    let series = this.#series.get(summary);
    if (series === undefined) {
      series = new Series(this.#session, this.#poolName, summary);
      this.#series.set(summary, series);
    }
    return series;
  }
}

/** The targets of one pool; sessions with the same target share one. */
export class Targets {
  readonly #poolName: string;
  readonly #known = new Map<string, Target>();

  constructor(poolName: string) {
    this.#poolName = poolName;
  }

  of(session: QuerySession): Target {
    const key = JSON.stringify([session.host, session.port, session.database]);
    let target = this.#known.get(key);
    if (target === undefined) {
      target = new Target(session, this.#poolName);
      const [oldest] = this.#known.keys();
      if (oldest !== undefined && this.#known.size >= MAX_TARGETS) this.#known.delete(oldest);
      this.#known.set(key, target);
    }
    return target;
  }
}

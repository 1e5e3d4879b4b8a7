import {
  driverQuery,
  pg,
  type ClientClass,
  type DriverClient,
  type DriverQuery,
} from '../connection/driver.js';
import { connectionOf } from '../connection/pooled-connection.js';
import type { GivenQuery, PoolObserver, QueryObserver, QuerySession } from '../observer.js';
import { appended } from '../sql/comment.js';
import { answer, callbackOf, copyOf, refuse, valuesOf } from './call.js';
import { LimitsInForce, limitsInForce, limitsOf, reasonOf, type QueryLimits, type Stop } from './limits.js';
import { runOrdinary, type Run, type Stopping } from './ordinary.js';
import { failSubmitted, isSubmitted, runSubmitted, signalOf, type SubmittedQuery } from './submitted.js';

/** The class of a pool's clients, whose queries are observed and can be stopped; `timeoutMs` 0 for no limit. */
export function clientClass(timeoutMs: number, observer: PoolObserver): ClientClass {
  const queries = new ClientQueries(timeoutMs, observer);
  const { measuresQueries } = observer;
  // Some programs check the class name.
  class Client extends pg.Client {
    override query(...args: unknown[]): never {
      // Queries that are measured here must not also be measured by an instrumentation.
      const send = measuresQueries === true ? driverQuery() : (super.query as unknown as DriverQuery);
      return queries.run(this as unknown as DriverClient, send, args) as never;
    }
  }
  return Client as unknown as ClientClass;
}

/** Runs the queries of a pool's clients, in all forms that the driver accepts. */
class ClientQueries {
  readonly #timeoutMs: number;
  readonly #observer: PoolObserver;

  constructor(timeoutMs: number, observer: PoolObserver) {
    this.#timeoutMs = timeoutMs;
    this.#observer = observer;
  }

  /** Returns what the driver's `query` returns. */
  run(client: DriverClient, send: DriverQuery, args: unknown[]): unknown {
    const [config, options] = args;
    // The driver rejects anything else.
    if (typeof config !== 'string' && (typeof config !== 'object' || config === null)) {
      return send.apply(client, args);
    }
    if (typeof config === 'object' && isSubmitted(config)) return this.#submitted(client, send, config, args);
    const callback = callbackOf(args);
    if (callback != null && typeof callback !== 'function') return send.apply(client, args);
    let limits: QueryLimits | undefined;
    try {
      if (typeof config === 'object') limits = limitsOf(config);
    } catch (error) {
      return refuse(callback, error as Error);
    }
    const inForce = limits && limitsInForce(config as object);
    if (inForce === undefined && limits?.signal?.aborted === true)
      return refuse(callback, reasonOf(limits.signal) as Error);
    const timeoutMs = limits?.timeoutMs ?? this.#timeoutMs;
    if (limits === undefined && timeoutMs === 0 && this.#observer.session === undefined) {
      return send.apply(client, args);
    }
    const values = typeof options === 'function' ? undefined : options;
    const isLimited = limits?.signal !== undefined || timeoutMs > 0;
    const limit = isLimited ? limiting(limits, timeoutMs, inForce) : undefined;
    const run = this.#prepare(client, send, givenQuery(config, valuesOf(args)), limit);
    const sent = forDriver(config, run.observer?.comment ?? '');
    return answer(callback, (answered) => runOrdinary(run, sent, values, answered));
  }

  #submitted(client: DriverClient, send: DriverQuery, query: SubmittedQuery, args: unknown[]): unknown {
    const signal = signalOf(query, args[1]);
    if (signal === undefined && this.#observer.session === undefined) return send.apply(client, args);
    if (signal?.aborted === true) {
      process.nextTick(failSubmitted, query, reasonOf(signal));
      return query;
    }
    const { text = query.cursor?.text, values = query.cursor?.values } = query;
    const given = givenQuery({ text, name: query.name }, values);
    const limit = signal && ((stop: Stop) => new LimitsInForce({ signal, timeoutMs: 0 }, stop));
    return runSubmitted(this.#prepare(client, send, given, limit), query, args);
  }

  #prepare(
    client: DriverClient,
    send: DriverQuery,
    given: GivenQuery,
    limit: Stopping['limit'] | undefined,
  ): Run {
    const observer = this.#observe(client, given);
    if (limit === undefined) return { client, send, observer, stopping: undefined };
    const startedAt = performance.now();
    const canceled: Stop = (reason, error) => {
      observer?.canceled(reason, error);
      this.#observer.queryCanceled(reason, given, sessionOf(client), performance.now() - startedAt);
    };
    return { client, send, observer, stopping: { limit, canceled } };
  }

  #observe(client: DriverClient, given: GivenQuery): QueryObserver | undefined {
    if (this.#observer.session === undefined) return undefined;
    const connection = connectionOf(client);
    if (connection === undefined) return undefined;
    connection.observer ??= this.#observer.session(sessionOf(client));
    return connection.observer.started(given);
  }
}

/** Puts limits in force, or lets those that began while the query waited for a connection continue. */
function limiting(
  limits: QueryLimits | undefined,
  timeoutMs: number,
  inForce: LimitsInForce | undefined,
): Stopping['limit'] {
  return (stop) => {
    if (inForce === undefined) return new LimitsInForce({ signal: limits?.signal, timeoutMs }, stop);
    inForce.stop = stop;
    if (limits?.timeoutMs === undefined) inForce.limitTo(timeoutMs);
    return inForce;
  };
}

function givenQuery(config: unknown, values: unknown): GivenQuery {
  const { text, name } = (typeof config === 'string' ? { text: config } : config) as {
    readonly text?: unknown;
    readonly name?: unknown;
  };
  return {
    text: typeof text === 'string' ? text : '',
    name: typeof name === 'string' && name !== '' ? name : undefined,
    parameterized: Boolean(name) || (Array.isArray(values) && values.length > 0),
  };
}

function sessionOf({ host, port, database, processID, connection }: DriverClient): QuerySession {
  const { remoteAddress } = connection.stream;
  return { host, port, database: database ?? '', pid: processID, peerAddress: remoteAddress };
}

/**
 * The query as passed to the driver. A config is copied, because up to pg 8.23.0 the driver modifies it, and without
 * `query_timeout`, because the driver would reject the query at that limit but leave it running.
 */
function forDriver(config: string | object, comment: string): string | object {
  if (typeof config === 'string') return comment === '' ? config : appended(config, comment);
  const copy = copyOf(config) as { readonly text?: unknown; query_timeout?: unknown };
  copy.query_timeout = undefined;
  const { text } = copy;
  if (comment === '' || typeof text !== 'string') return copy;
  // A class of tagged templates may have a getter for it.
  return Object.defineProperty(copy, 'text', { value: appended(text, comment), enumerable: true });
}

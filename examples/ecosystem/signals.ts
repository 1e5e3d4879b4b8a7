import { AsyncLocalStorage } from 'node:async_hooks';
import type { AfterConnect } from 'pgauge';

const signals = new AsyncLocalStorage<AbortSignal>();

/** Does some work whose queries are stopped when the signal is aborted. */
export const withSignal = <T>(signal: AbortSignal, work: () => PromiseLike<T>): Promise<T> =>
  // Await here: queries of Prisma, Drizzle and Knex begin only when they are awaited.
  signals.run(signal, async () => await work());

/** An `afterConnect` hook for tools that hide a query's config: the client adds the signal of the calling work. */
export const addSignals: AfterConnect = (client) => {
  const query = client.query.bind(client) as (config: unknown, ...more: unknown[]) => unknown;
  const withSignals = (given: string | { text?: string; submit?: unknown }, ...more: unknown[]): unknown => {
    const signal = signals.getStore();
    const config = typeof given === 'string' ? { text: given } : given;
    // A stream gets its signal elsewhere, and ROLLBACK must run even after an abort.
    const isLeft = config.submit !== undefined || /^\s*rollback/i.test(config.text ?? '');
    return query(signal === undefined || isLeft ? given : { ...config, signal }, ...more);
  };
  client.query = withSignals as typeof client.query;
};

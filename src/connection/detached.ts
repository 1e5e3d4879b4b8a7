import { AsyncLocalStorage, AsyncResource } from 'node:async_hooks';
import { sharedByAll } from '../process-state.js';

/**
 * Where Node keeps, in an AsyncResource, what AsyncLocalStorage found when it was made: a symbol for each store up to Node 22,
 * one for all of them from 24 on. There is no documented way out of the stores that are in force.
 */
const STORES: readonly (string | undefined)[] = ['kResourceStore', 'context_frame'];

/** Not the context in which the package was loaded: many programs load it within their first request. */
const inBareContext = sharedByAll('detached', () =>
  withoutStores(new AsyncResource('pgauge.detached')).runInAsyncScope(() => AsyncLocalStorage.snapshot()),
);

/** Runs a function outside any request's async context: what a dial or a reset starts would keep it for life. */
export function detached<T>(run: () => T): T {
  // A resource of its own: up to Node 22, the stores that `enterWith` sets are those of the resource.
  return inBareContext(() => new AsyncResource('pgauge.detached').runInAsyncScope(run));
}

/** On a runtime that keeps the stores elsewhere, the resource stays as it is. */
function withoutStores(resource: AsyncResource): AsyncResource {
  const fields = resource as unknown as Record<symbol, unknown>;
  for (const symbol of Object.getOwnPropertySymbols(resource)) {
    if (STORES.includes(symbol.description)) fields[symbol] = undefined;
  }
  return resource;
}

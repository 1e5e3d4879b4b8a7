import { AsyncLocalStorage, AsyncResource } from 'node:async_hooks';
import { sharedByAll } from '../process-state.js';

/**
 * The symbols under which an AsyncResource keeps the AsyncLocalStorage stores of its creation: one for each store up to
 * Node 22, one for all of them from Node 24. There is no documented way to leave the current stores.
 */
const STORES: readonly (string | undefined)[] = ['kResourceStore', 'context_frame'];

/** Not the context in which the package was loaded, because many programs load it within their first request. */
const inBareContext = sharedByAll('detached', () =>
  withoutStores(new AsyncResource('pgauge.detached')).runInAsyncScope(() => AsyncLocalStorage.snapshot()),
);

/** Runs a function outside any request's async context, which a connection would otherwise keep for life. */
export function detached<T>(run: () => T): T {
  // A new resource for each call: up to Node 22, `enterWith` sets stores on the resource.
  return inBareContext(() => new AsyncResource('pgauge.detached').runInAsyncScope(run));
}

/** Clears the stores of a resource; on a runtime that keeps them elsewhere, the resource stays as it is. */
function withoutStores(resource: AsyncResource): AsyncResource {
  const fields = resource as unknown as Record<symbol, unknown>;
  for (const symbol of Object.getOwnPropertySymbols(resource)) {
    if (STORES.includes(symbol.description)) fields[symbol] = undefined;
  }
  return resource;
}

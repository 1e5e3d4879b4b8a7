import { createRequire } from 'node:module';
import type * as pgModule from 'pg';
import { withoutVariable } from '../settings/environment.js';

const require = createRequire(import.meta.url);

/**
 * Loads the application's own `pg`, through `require` so that instrumentations see it. The environment cannot select
 * the native binding, because that has another life cycle.
 */
export function loadDriver(): typeof pgModule {
  return withNavigator(() =>
    withoutVariable('NODE_PG_FORCE_NATIVE', (): unknown => require('pg')),
  ) as typeof pgModule;
}

/**
 * Runs `work` with a global `navigator`, which Node has from version 21. Without one, `pg` finds out that it does not run on
 * Cloudflare by constructing a Response, for which Node compiles its `fetch`: as long as loading `pg` itself.
 */
function withNavigator<T>(work: () => T): T {
  if ('navigator' in globalThis) return work();
  Reflect.defineProperty(globalThis, 'navigator', { configurable: true, value: { userAgent: 'Node.js' } });
  try {
    return work();
  } finally {
    Reflect.deleteProperty(globalThis, 'navigator');
  }
}

import { DrizzleQueryError } from 'drizzle-orm';

const UNAVAILABLE = new Set(['ERR_PGAUGE_POOL_BUSY', 'ERR_PGAUGE_ACQUIRE_TIMEOUT', 'ERR_PGAUGE_POOL_ENDED']);

/** Whether no connection could be acquired: the query was never sent, so a client can safely retry its request. */
export function isUnavailable(error: unknown): boolean {
  const cause = error instanceof DrizzleQueryError ? error.cause : error;
  return UNAVAILABLE.has((cause as { code?: string } | undefined)?.code ?? '');
}

import { ConfigError, ConnectTimeoutError, PoolEndedError, WrongHostError } from '../errors.js';
import { isRejectedLogin, sqlState } from '../foreign-error.js';
import type { CloseReason, ConnectPhase } from '../observer.js';
import type { PooledConnection } from './pooled-connection.js';

/** Why the socket of an attempt that failed at `phase` was closed. */
export function closeReasonOf(
  error: unknown,
  phase: ConnectPhase,
  connection: PooledConnection | undefined,
): CloseReason {
  if (error instanceof ConnectTimeoutError) return 'timeout';
  if (error instanceof PoolEndedError) return 'pool_end';
  if (error instanceof WrongHostError) return 'read_only';
  if (phase === 'init') return lossReason(connection) ?? 'hook';
  if (isRejectedLogin(error) || error instanceof ConfigError) return 'auth';
  return sqlState(error) === undefined ? 'network' : 'server_closed';
}

/** Why the connection was lost while `afterConnect` used it, unless the hook itself ended it. */
function lossReason(connection: PooledConnection | undefined): CloseReason | undefined {
  const { dismissal, lostWith, lossReason: reason } = connection ?? {};
  // A query rejects with the server's last message before the socket shows the loss.
  if (dismissal !== undefined) return 'server_closed';
  return lostWith === undefined || reason === 'released_with_error' ? undefined : reason;
}

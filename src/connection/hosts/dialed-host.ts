import type { HostGroup, PooledConnection } from '../pooled-connection.js';

/** What is particular to one of several hosts. */
export interface DialedHost {
  /** Where it listens, and the connections to it. */
  readonly group: HostGroup;
  /** The one of its addresses that is dialled; `undefined`: the first that answers. */
  readonly address: string | undefined;
  /** Its share of the time, in milliseconds. */
  readonly timeoutMs: number;
  /** The client is made and not yet connected. */
  built(connection: PooledConnection): void;
  /** Rejects if the server, which has taken the login, is not the one that is wanted. */
  accept(connection: PooledConnection): Promise<void>;
}

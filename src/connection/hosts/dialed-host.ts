import type { HostGroup, PooledConnection } from '../pooled-connection.js';

/** The dialling of one of several hosts. */
export interface DialedHost {
  /** Where it listens, and the connections to it. */
  readonly group: HostGroup;
  /** The address to dial; `undefined` for the first that answers. */
  readonly address: string | undefined;
  /** Its share of the time, in milliseconds. */
  readonly timeoutMs: number;
  /** Called when the client is made and not yet connected. */
  built(connection: PooledConnection): void;
  /** Rejects if the server, which has accepted the login, is not of the wanted kind. */
  accept(connection: PooledConnection): Promise<void>;
}

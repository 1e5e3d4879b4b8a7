import type { Attributes } from '@opentelemetry/api';
import { sharedByAll } from '../process-state.js';
import { ATTR, DB_SYSTEM_NAME } from './names.js';

/** The facts about a pool that telemetry may report: an allow-list without user, password or token. */
export interface PoolIdentity {
  /** The name from the options; if unset or empty, `host:port/database`. */
  readonly poolName: string | undefined;
  readonly host: string;
  readonly port: number;
  readonly database: string;
  /** The backend of `dynamicAuth`, if it is configured. */
  readonly authProvider: string | undefined;
  /** The effective `sslMode`. */
  readonly tlsMode: string;
}

/** The names of the live pools, each with its kind: a target and a name, which other pools may also have. */
const taken = sharedByAll('poolNames', () => new Map<string, string>());

/** Reserves a name that no other pool in this process has, by appending `#2`, `#3`, … if necessary. */
export function takePoolName(identity: PoolIdentity): string {
  const wanted =
    identity.poolName === undefined || identity.poolName === ''
      ? defaultPoolName(identity)
      : identity.poolName;
  let name = wanted;
  for (let n = 2; taken.has(name); n++) name = `${wanted}#${n}`;
  taken.set(name, `${wanted} ${defaultPoolName(identity)}`);
  return name;
}

/** Releases a name, so that a new pool can have it. */
export function releasePoolName(name: string): void {
  taken.delete(name);
}

/** The number of live pools of this process with the target and the name of this one, which are its `kind`. */
export function livePools(poolName: string): { readonly kind: string; readonly count: number } {
  const kind = taken.get(poolName) ?? '';
  let count = 0;
  for (const other of taken.values()) if (other === kind) count += 1;
  return { kind, count };
}

/** The attributes common to the acquire and connect spans of a pool. */
export function spanAttributes(identity: PoolIdentity, poolName: string): Attributes {
  return {
    [ATTR.dbSystemName]: DB_SYSTEM_NAME,
    [ATTR.dbNamespace]: identity.database,
    [ATTR.serverAddress]: identity.host,
    [ATTR.serverPort]: identity.port,
    [ATTR.poolName]: poolName,
  };
}

/** The attributes of `pgauge.pool.info`. */
export function infoAttributes(identity: PoolIdentity, poolName: string): Attributes {
  return {
    ...spanAttributes(identity, poolName),
    ...(identity.authProvider !== undefined && { [ATTR.authProviderName]: identity.authProvider }),
    [ATTR.tlsMode]: identity.tlsMode,
  };
}

function defaultPoolName({ host, port, database }: PoolIdentity): string {
  const address = host.includes(':') && !host.startsWith('[') ? `[${host}]` : host;
  return `${address}:${port}/${database}`;
}

import type { Attributes } from '@opentelemetry/api';
import { ATTR, DB_SYSTEM_NAME } from './names.js';

/** What telemetry may know of a pool: an allow-list without user, password or token. */
export interface PoolIdentity {
  /** The name asked for; unset: `host:port/database`. */
  readonly poolName: string | undefined;
  readonly host: string;
  readonly port: number;
  readonly database: string;
  /** The backend of `dynamicAuth`, where there is one. */
  readonly authProvider: string | undefined;
  /** `sslMode` in effect. */
  readonly tlsMode: string;
}

const taken = new Set<string>();

/** Takes a name that no other pool of this process has, with `#2`, `#3`, … appended where needed. */
export function takePoolName(identity: PoolIdentity): string {
  const wanted =
    identity.poolName === undefined || identity.poolName === ''
      ? defaultPoolName(identity)
      : identity.poolName;
  let name = wanted;
  for (let n = 2; taken.has(name); n++) name = `${wanted}#${n}`;
  taken.add(name);
  return name;
}

/** Frees a name for the next pool. */
export function releasePoolName(name: string): void {
  taken.delete(name);
}

/** The attributes that every span of a pool starts with. */
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

/** One of several hosts. */
export interface DatabaseHost {
  /** Host name or IP address. */
  readonly host: string;
  /** TCP port, 1 to 65535; default the config's `port`. */
  readonly port?: number | undefined;
}

/** The required kind of server: libpq's values of `target_session_attrs`. */
export const TARGET_SESSION_ATTRS = [
  'any',
  'read-write',
  'read-only',
  'primary',
  'standby',
  'prefer-standby',
] as const;

/**
 * The required kind of server, in libpq's terms.
 * @useDeclaredType
 */
export type TargetSessionAttrs = (typeof TARGET_SESSION_ATTRS)[number];

/** The order in which hosts are tried: libpq's values of `load_balance_hosts`. */
export const LOAD_BALANCE_HOSTS = ['disable', 'random'] as const;

/**
 * Whether hosts are tried in their order, or shuffled for each attempt.
 * @useDeclaredType
 */
export type LoadBalanceHosts = (typeof LOAD_BALANCE_HOSTS)[number];

/** The host and port of a server. */
export interface Place {
  readonly host: string;
  readonly port: number;
}

interface Placed {
  readonly host?: string | undefined;
  readonly port?: number | undefined;
  readonly hosts?: readonly DatabaseHost[] | undefined;
}

/** The places of the servers of a valid config, in its order: at least one. */
export function placesOf({ host, port, hosts }: Placed): readonly Place[] {
  if (hosts === undefined) return [{ host: host ?? '', port: port ?? 0 }];
  return hosts.map((one) => ({ host: one.host, port: one.port ?? port ?? 0 }));
}

/** The first place of a valid config, which stands for all in names and defaults. */
export function firstPlace(config: Placed): Place {
  return placesOf(config)[0] ?? { host: '', port: 0 };
}

/** A host with its port, as messages and reports name it. */
export function placeName({ host, port }: { readonly host: string; readonly port: unknown }): string {
  return host.includes(':') ? `[${host}]:${String(port)}` : `${host}:${String(port)}`;
}

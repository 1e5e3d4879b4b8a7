import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type * as pgModule from 'pg';
import { loadDriver } from './load-driver.js';

/** The part of a client's protocol connection that is used but not declared by its types. */
export interface DriverConnection {
  /** The TCP socket, and after `sslconnect` the TLS socket over it. */
  stream: Socket;
  connect(port: number, host: string): void;
  requestSsl(): void;
  /** How TLS begins; from pg 8.22. */
  readonly sslNegotiation?: 'postgres' | 'direct';
  ref(): void;
  unref(): void;
  /** The texts of the named statements that the driver has prepared, by name. */
  parsedStatements: Record<string, string>;
  /** The texts of those that are being prepared. */
  readonly submittedNamedStatements?: Readonly<Record<string, string>>;
  parse(statement: { readonly name?: string }): void;
  bind(config: unknown): void;
  close(what: { readonly type: 'S' | 'P'; readonly name: string }): void;
  cancel(processId: number, secretKey: number): void;
  on(event: string, listener: (...args: never[]) => void): this;
  once(event: string, listener: (...args: never[]) => void): this;
  prependListener(event: string, listener: (...args: never[]) => void): this;
  removeListener(event: string, listener: (...args: never[]) => void): this;
  emit(event: string, ...args: unknown[]): boolean;
}

/** The part of a client that is used but not declared by its types; tested with the lowest and the newest `pg`. */
interface UntypedClient {
  readonly connection: DriverConnection;
  readonly connectionParameters: { password: unknown };
  password: unknown;
  /** True while the server waits for a query. */
  readonly readyForQuery?: boolean;
  readonly processID: number | null;
  secretKey: number | null;
  /** The query whose answer is outstanding; cleared when it has reported a server's error. */
  _getActiveQuery(): object | null | undefined;
  /** The queries that have not been sent. */
  readonly _queryQueue: object[];
  /** `end()` was called. */
  readonly _ending: boolean;
  getTransactionStatus(): 'I' | 'T' | 'E' | null;
  ref(): void;
  unref(): void;
}

/** A client with the members that this package uses. */
export type DriverClient = pgModule.PoolClient & UntypedClient;

export type ClientClass = new (config: pgModule.ClientConfig) => DriverClient;

type ConnectCallback = (error: Error | null | undefined) => void;
type Connect = (this: DriverClient, callback: ConnectCallback) => void;
type Wrapped<F> = F & { __original?: Wrapped<F> };

/** The application's own `pg`. */
export const pg = loadDriver();

/** Creates a client that is configured by its config alone. */
export function createClient(Client: ClientClass, config: pgModule.ClientConfig): DriverClient {
  // Without a prototype, so that a polluted Object.prototype adds no settings.
  const client = new Client(Object.assign(Object.create(null), config) as pgModule.ClientConfig);
  // These come from PGREPLICATION and PGBINARY, which a falsy setting in the config does not override.
  for (const holder of [client, client.connectionParameters] as {
    replication?: unknown;
    binary?: unknown;
  }[]) {
    holder.replication = undefined;
    holder.binary = false;
  }
  return client;
}

/** The parameters of a client's login: from its config, the URL in it, and the environment. */
export interface ConnectionParameters {
  readonly host: string;
  readonly port: number;
  readonly user: string | undefined;
  readonly database: string;
  readonly password: unknown;
  readonly ssl: unknown;
  readonly sslnegotiation?: string | undefined;
  readonly binary: unknown;
  readonly replication: unknown;
  readonly options: unknown;
  readonly client_encoding: unknown;
  readonly application_name: unknown;
  readonly fallback_application_name: unknown;
  readonly query_timeout: unknown;
  readonly statement_timeout: unknown;
  readonly lock_timeout: unknown;
  readonly idle_in_transaction_session_timeout: unknown;
}

/** The parameters that the driver derives from a config; throws the driver's error for one that it cannot use. */
export function connectionParameters(config: object): ConnectionParameters {
  const client: unknown = new pg.Client(config);
  return (client as { connectionParameters: ConnectionParameters }).connectionParameters;
}

/** Whether the application loaded the native binding before this package could load the JavaScript client. */
export function isNativeClient(): boolean {
  return !('_getActiveQuery' in pg.Client.prototype);
}

/** Whether the driver can send a query before those ahead of it are answered: from pg 8.23. */
export function canPipeline(): boolean {
  return '_pulsePipelinedQueryQueue' in pg.Client.prototype;
}

/** Whether the driver can begin TLS without asking the server: from pg 8.22. */
export function canBeginTls(): boolean {
  return 'sslnegotiation' in pg.defaults;
}

/** Connects without an instrumentation's wrapper, because a pool's connect has its own span. */
export function connectClient(client: DriverClient, callback: ConnectCallback): void {
  // Looked up at each dial, because instrumentations may be installed late, and removed.
  unwrapped(pg.Client.prototype.connect as unknown as Wrapped<Connect>).call(client, callback);
}

export type DriverQuery = (this: DriverClient, ...args: unknown[]) => unknown;

/** The driver's own `query`, without an instrumentation's wrapper. */
export function driverQuery(): DriverQuery {
  return unwrapped(pg.Client.prototype.query as unknown as Wrapped<DriverQuery>);
}

/** Runs a statement without an instrumentation's wrapper, because it is the pool's own, not the application's. */
export function queryQuietly(
  client: DriverClient,
  text: string,
): Promise<{ readonly rows: readonly object[] }> {
  return new Promise((resolve, reject) => {
    driverQuery().call(client, text, (error: Error | null | undefined, result: { rows: object[] }) => {
      if (error == null) resolve(result);
      else reject(error);
    });
  });
}

/** A function as it was before an instrumentation wrapped it. */
function unwrapped<F>(wrapped: Wrapped<F>): F {
  let original = wrapped;
  while (original.__original !== undefined) original = original.__original;
  return original;
}

/** Keeps an explicit TLS `servername` that differs from the host, and dials `address` instead of the host. */
export function keepServername({ connection }: DriverClient, address?: string): void {
  const { stream } = connection;
  const connect = connection.connect.bind(connection);
  connection.connect = (port, host) => {
    const dial = stream.connect.bind(stream) as (port: number, host: string) => Socket;
    stream.connect = ((at: number) => dial(at, address ?? host)) as typeof stream.connect;
    // pg overwrites `servername` with every host that is not an address.
    connect(port, '0.0.0.0');
  };
}

/** A separate connection, without a client, for a cancel request. */
export function newConnection(config: {
  readonly ssl: object | false;
  readonly sslNegotiation?: DriverConnection['sslNegotiation'];
  readonly stream?: () => Duplex;
}): DriverConnection {
  return new pg.Connection(config) as unknown as DriverConnection;
}

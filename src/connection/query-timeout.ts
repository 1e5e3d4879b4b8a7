import { isIP } from 'node:net';
import { withCallersStack } from './callers-stack.js';
import { giveUpTimedOut } from './pooled-connection.js';
import { newConnection, pg, type ClientClass, type DriverClient } from './driver.js';

/** How long a cancel request may take, in milliseconds: less than a returned connection has to settle, so that the timeout is why it is closed. */
const CANCEL_TIMEOUT_MS = 900;

type Query = (...args: unknown[]) => unknown;
type Callback = (error: Error | null | undefined, result?: unknown) => void;

/** A client class whose ordinary queries end after `timeoutMs`: rejected, cancelled on the server, their connection destroyed. */
export function clientWithQueryTimeout(timeoutMs: number): ClientClass {
  class TimedClient extends pg.Client {
    override query(...args: unknown[]): never {
      const superQuery = super.query.bind(this) as unknown as Query;
      return timed(this as unknown as DriverClient, superQuery, args, timeoutMs) as never;
    }
  }
  return TimedClient as unknown as ClientClass;
}

function timed(client: DriverClient, query: Query, args: unknown[], timeoutMs: number): unknown {
  const [config] = args;
  // Cursors and COPY take as long as their reader: `statement_timeout` is for them.
  if (typeof (config as { submit?: unknown } | null | undefined)?.submit === 'function')
    return query(...args);
  const [, values, third] = args;
  const last = typeof values === 'function' ? values : third;
  const callback = last ?? (config as { callback?: unknown } | null | undefined)?.callback;
  const given = [config, last === values ? undefined : values];
  if (typeof callback === 'function') {
    run(client, query, given, timeoutMs, callback as Callback);
    return undefined;
  }
  // Refused by the driver.
  if (callback != null) return query(...args);
  return new Promise((resolve, reject) => {
    run(client, query, given, timeoutMs, (error, result) => {
      if (error) reject(error);
      else resolve(result);
    });
  }).catch(withCallersStack);
}

function run(
  client: DriverClient,
  query: Query,
  args: unknown[],
  timeoutMs: number,
  callback: Callback,
): void {
  let settled = false;
  const settle: Callback = (error, result) => {
    if (settled) return;
    settled = true;
    clearTimeout(timer);
    callback(error, result);
  };
  let timer: NodeJS.Timeout | undefined = undefined;
  // Throws what the driver refuses, and may settle at once: neither has anything to be timed.
  query(...args, settle);
  if (settled as boolean) return;
  timer = setTimeout(() => {
    const error = new Error(`Query read timeout after ${timeoutMs} ms`);
    // First, for a socket that is closed forgets its peer.
    const cancel = cancelOf(client);
    const free = giveUpTimedOut(client, error);
    // Not before: PgBouncer forgets with a client whose query there is to cancel.
    if (free !== undefined) cancel(free);
    settle(error);
  }, timeoutMs);
}

/** What asks the server that runs the client's query, and no other behind the same name, to stop it, and then calls `done`. */
function cancelOf(client: DriverClient): (done: () => void) => void {
  const { processID, secretKey } = client;
  const { remoteAddress, remotePort } = client.connection.stream;
  if (processID === null || secretKey === null || remoteAddress === undefined || remotePort === undefined) {
    return (done) => done();
  }
  const { ssl } = client as unknown as { ssl: object | false };
  // The name is verified and sent as for the connection that is cancelled, though an address is dialled.
  const name = isIP(client.host) === 0 ? { servername: client.host } : {};
  return (done) => {
    const connection = newConnection({ ssl: ssl === false ? false : { ...name, ...ssl } });
    const finish = (): void => {
      clearTimeout(timer);
      connection.stream.destroy();
      done();
    };
    const timer = setTimeout(finish, CANCEL_TIMEOUT_MS);
    timer.unref();
    connection.on('error', finish);
    connection.once('end', finish);
    const send = (): void => connection.cancel(processID, secretKey);
    connection.once('connect', () => {
      if (ssl === false) send();
      else connection.requestSsl();
    });
    connection.once('sslconnect', send);
    connection.connect(remotePort, remoteAddress);
  };
}

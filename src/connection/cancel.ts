import type { Socket } from 'node:net';
import { Deadline } from '../deadline.js';
import type { ClosingSockets } from './closing-sockets.js';
import { newConnection, type DriverClient, type DriverConnection } from './driver.js';
import { serverName } from './tls.js';
import { streamSettings, useStream, type Transport, type WayToServer } from './transport.js';

/**
 * How long a cancel request may take, in milliseconds: longer than the connection of the query is kept for it,
 * because a query that waits for a lock does not notice that its connection was closed.
 */
const CANCEL_TIMEOUT_MS = 3_000;

/** A connection whose query can be cancelled. */
export interface Cancellable {
  readonly client: DriverClient;
  /** Counts the request's socket until it is closed. */
  readonly sockets: ClosingSockets;
  readonly way?: WayToServer | undefined;
}

/**
 * Asks the server that runs a client's current query, not another one behind the same name, to cancel it. `ended` is
 * called once: with `true` when no cancel can be under way any more, because the server has closed the request's
 * connection or none could be made; with `false` when that is not known.
 */
export function cancelRequest({ client, sockets, way }: Cancellable, ended: (surely: boolean) => void): void {
  const { processID, secretKey } = client;
  const { remoteAddress, remotePort } = client.connection.stream;
  const reachable = way !== undefined || (remoteAddress !== undefined && remotePort !== undefined);
  if (processID === null || secretKey === null || !reachable) {
    process.nextTick(ended, true);
    return;
  }
  const controller = new AbortController();
  let connection: DriverConnection | undefined;
  let closed = (): void => undefined;
  let sent = false;
  let finished = false;
  const finish = (surely: boolean): void => {
    if (finished) return;
    finished = true;
    deadline.clear();
    if (connection !== undefined) closeThen(connection.stream, closed);
    controller.abort();
    ended(surely);
  };
  const deadline = new Deadline(CANCEL_TIMEOUT_MS, () => finish(!sent));
  const request = (transport?: Transport): void => {
    if (finished) return;
    const ssl = encryption(client, way, transport);
    const { sslNegotiation } = client.connection;
    const made = newConnection({ ssl, sslNegotiation, ...(transport && streamSettings(transport.stream)) });
    connection = made;
    if (transport !== undefined) useStream(made, transport.stream);
    closed = sockets.add(made.stream);
    const send = (): void => {
      sent = true;
      made.cancel(processID, secretKey);
    };
    // A request that was sent may still be under way when its connection fails.
    made.on('error', () => finish(!sent));
    made.once('end', () => finish(true));
    made.once('connect', () => {
      if (ssl === false) send();
      else if (sslNegotiation !== 'direct') made.requestSsl();
    });
    made.once('sslconnect', send);
    made.connect(remotePort ?? client.port, remoteAddress ?? client.host);
  };
  if (way === undefined) request();
  else way.open(controller.signal).then(request, () => finish(true));
}

function closeThen(stream: Socket, closed: () => void): void {
  if (stream.closed) process.nextTick(closed);
  else stream.once('close', closed);
  stream.destroy();
}

/** Although an address is dialled, the server name is sent and verified as for the connection to be cancelled. */
function encryption(
  client: DriverClient,
  way: WayToServer | undefined,
  transport: Transport | undefined,
): object | false {
  const ssl = way === undefined ? (client as unknown as { ssl: object | false }).ssl : way.ssl;
  if (ssl === false || transport?.encrypted === true) return false;
  return { ...serverName(client.host), ...ssl };
}

import { isIP } from 'node:net';
import { Deadline } from '../deadline.js';
import type { ClosingSockets } from './closing-sockets.js';
import { newConnection, type DriverClient } from './driver.js';

/**
 * How long a cancel request may take, in milliseconds: longer than its connection is kept for it, since a query that waits for
 * a lock does not notice that its connection is closed.
 */
const CANCEL_TIMEOUT_MS = 3_000;

/**
 * Asks the server that runs a client's current query, and no other behind the same name, to cancel it. `ended` is called once:
 * with `true` when the server has closed the request's connection, or none could be made, so that no cancel is under way any
 * more; with `false` when that is not known. The request's socket counts in `sockets` until it is closed.
 */
export function cancelRequest(
  client: DriverClient,
  sockets: ClosingSockets,
  ended: (surely: boolean) => void,
): void {
  const { processID, secretKey } = client;
  const { remoteAddress, remotePort } = client.connection.stream;
  if (processID === null || secretKey === null || remoteAddress === undefined || remotePort === undefined) {
    process.nextTick(ended, true);
    return;
  }
  const { ssl } = client as unknown as { ssl: object | false };
  // The name is verified and sent as for the connection that is cancelled, though an address is dialled.
  const name = isIP(client.host) === 0 ? { servername: client.host } : {};
  const connection = newConnection({ ssl: ssl === false ? false : { ...name, ...ssl } });
  const closed = sockets.add(connection.stream);
  let sent = false;
  let finished = false;
  const finish = (surely: boolean): void => {
    if (finished) return;
    finished = true;
    deadline.clear();
    const { stream } = connection;
    if (stream.closed) process.nextTick(closed);
    else stream.once('close', closed);
    stream.destroy();
    ended(surely);
  };
  const deadline = new Deadline(CANCEL_TIMEOUT_MS, () => finish(!sent));
  const send = (): void => {
    sent = true;
    connection.cancel(processID, secretKey);
  };
  // A request that was sent may still be under way when its connection fails.
  connection.on('error', () => finish(!sent));
  connection.once('end', () => finish(true));
  connection.once('connect', () => {
    if (ssl === false) send();
    else connection.requestSsl();
  });
  connection.once('sslconnect', send);
  connection.connect(remotePort, remoteAddress);
}

import { isIP } from 'node:net';
import { Deadline } from '../deadline.js';
import type { ClosingSockets } from './closing-sockets.js';
import { newConnection, type DriverClient } from './driver.js';

/** How long a cancel request may take, in milliseconds: less than a returned connection has to settle, so that the timeout is why it is closed. */
const CANCEL_TIMEOUT_MS = 900;

/**
 * Prepares a cancel request for a client's current query, to the server that runs it and no other behind the same name. The
 * function returned sends it and calls `done` when it has ended; the client's socket may be closed by then. The request's own
 * socket counts in `sockets` until it is closed.
 */
export function cancelRequest(client: DriverClient, sockets: ClosingSockets): (done: () => void) => void {
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
    const closed = sockets.add(connection.stream);
    let finished = false;
    const finish = (): void => {
      if (finished) return;
      finished = true;
      deadline.clear();
      const { stream } = connection;
      if (stream.closed) process.nextTick(closed);
      else stream.once('close', closed);
      stream.destroy();
      done();
    };
    const deadline = new Deadline(CANCEL_TIMEOUT_MS, finish);
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

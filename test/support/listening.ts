import { connect } from 'node:net';
import type { Endpoint } from './pools.js';

/** Whether a port accepts a connection, whatever its protocol. */
export function accepts({ port, host }: Endpoint): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, host);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

import { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import type { DialTarget } from '../../src/index.js';

/** A socket that connects to a target the way the driver does. */
export function socketTo({ host, port }: Pick<DialTarget, 'host' | 'port'>): Socket {
  const socket = new Socket();
  socket.connect(port, host);
  return socket;
}

/**
 * A stream over a socket without the methods and properties of a socket, like a tunnel's channel; it stays half open.
 */
export function plainStream(socket: Socket): Duplex {
  const stream: Duplex = new Duplex({
    read: () => void socket.resume(),
    write: (piece: Buffer, _encoding, done) => void socket.write(piece, done),
    final: (done) => void socket.end(done),
    destroy(error, done) {
      socket.destroy();
      done(error);
    },
  });
  socket.on('data', (piece: Buffer) => {
    if (!stream.push(piece)) socket.pause();
  });
  socket.once('end', () => stream.push(null));
  socket.on('error', (error) => stream.destroy(error));
  return stream;
}

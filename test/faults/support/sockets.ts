import { Socket } from 'node:net';
import { afterAll, beforeAll } from 'vitest';

/** The sockets that `pg` dialled in this process, seen at the system call and not in the pool's own books. */
export class Sockets {
  /** Cumulative: dialled since the file's tests began. */
  total = 0;
  readonly #dialled = new Set<Socket>();

  /** Current: dialled and not given back to the system. */
  get held(): number {
    for (const socket of this.#dialled) if (socket.destroyed) this.#dialled.delete(socket);
    return this.#dialled.size;
  }

  dialled(socket: Socket): void {
    this.total += 1;
    this.#dialled.add(socket);
  }
}

/** Watches the sockets of the calling file's tests. */
export function useSockets(): Sockets {
  const sockets = new Sockets();
  const connect = Socket.prototype.connect as (...args: unknown[]) => Socket;
  beforeAll(() => {
    Socket.prototype.connect = function (this: Socket, ...args: unknown[]) {
      // The driver gives port and host; `net.connect`, with which proxies and tests dial, gives its options.
      if (typeof args[0] === 'number') sockets.dialled(this);
      return connect.apply(this, args);
    };
  });
  afterAll(() => {
    Socket.prototype.connect = connect;
  });
  return sockets;
}

import { Socket } from 'node:net';
import { afterAll, beforeAll } from 'vitest';

/** The sockets that `pg` dialled in this process, observed at the system call instead of in the pool's own state. */
export class Sockets {
  /** Cumulative: dialled since the file's tests began. */
  total = 0;
  readonly #connections = new Set<Socket>();
  readonly #cancelRequests = new Set<Socket>();

  /** Current: dialled and not yet released to the system. */
  get held(): number {
    return this.connections + stillOpen(this.#cancelRequests);
  }

  /** Current: held sockets other than cancel requests, which a pool does not count. */
  get connections(): number {
    return stillOpen(this.#connections);
  }

  dialled(socket: Socket): void {
    this.total += 1;
    // On the wire they differ only once they are connected.
    const isCancelRequest = new Error().stack?.includes('connection/cancel') === true;
    (isCancelRequest ? this.#cancelRequests : this.#connections).add(socket);
  }
}

function stillOpen(sockets: Set<Socket>): number {
  for (const socket of sockets) if (socket.destroyed) sockets.delete(socket);
  return sockets.size;
}

/** Watches the sockets of the calling file's tests. */
export function useSockets(): Sockets {
  const sockets = new Sockets();
  const connect = Socket.prototype.connect as (...args: unknown[]) => Socket;
  beforeAll(() => {
    Socket.prototype.connect = function (this: Socket, ...args: unknown[]) {
      // The driver passes port and host; `net.connect`, with which proxies and tests dial, passes its options.
      if (typeof args[0] === 'number') sockets.dialled(this);
      return connect.apply(this, args);
    };
  });
  afterAll(() => {
    Socket.prototype.connect = connect;
  });
  return sockets;
}

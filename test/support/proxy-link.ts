import type { Socket } from 'node:net';
import { resetSocket } from '../../local-rds/reset-socket.js';

/** What a proxy does to the traffic; a change affects everything that follows, on open connections too. */
export interface ProxyControls {
  /** Delay in milliseconds of each piece, in either direction; default 0. */
  delayMs: number;
  /** Maximum bytes of a piece, each sent as a separate packet; default no limit. */
  chunkBytes: number;
  /**
   * Delay in milliseconds before a server message of the given type, such as `Z` for ReadyForQuery; default none.
   * Unencrypted connections only.
   */
  messageDelayMs: (type: string) => number;
  /** Swallows all bytes in both directions, including closes, and leaves connections open; default false. */
  blackHole: boolean;
  /** Resets connections as soon as they are accepted; default false. */
  refuse: boolean;
  /** Resets a connection once this many bytes from the server have passed; default never. */
  cutAfterBytes: number;
}

/** The code of an SSLRequest, in the position where a startup message has its version. */
const SSL_REQUEST = 80_877_103;

interface Piece {
  readonly bytes: Buffer;
  readonly sendAt: number;
}

/** One proxied connection. */
export class ProxyLink {
  /** Whether the client has closed it, or its side of it. */
  clientClosed = false;
  /** Whether the server has closed it without the client being notified. */
  serverClosedUnseen = false;
  #encrypted: boolean | undefined;
  #forgotten = false;
  #serverBytes = 0;
  #rest: Buffer = Buffer.alloc(0);

  constructor(
    private readonly client: Socket,
    private readonly server: Socket,
    private readonly controls: ProxyControls,
    count: { sent(bytes: number): void; plain(): void },
  ) {
    const toServer = new Lane(server);
    const toClient = new Lane(client);
    client.on('data', (bytes: Buffer) => {
      count.sent(bytes.length);
      if (this.#encrypted === undefined) {
        this.#encrypted = bytes.length >= 8 && bytes.readUInt32BE(4) === SSL_REQUEST;
        if (!this.#encrypted) count.plain();
      }
      if (!this.#dead) this.#send(toServer, bytes, 0);
    });
    server.on('data', (bytes: Buffer) => {
      if (!this.#dead) this.#fromServer(toClient, bytes);
    });
    client.on('end', () => {
      this.clientClosed = true;
      if (!this.#dead) toServer.end();
    });
    server.on('end', () => {
      if (this.#dead) this.serverClosedUnseen = true;
      else toClient.end();
    });
    client.on('error', () => undefined);
    server.on('error', () => {
      if (this.#dead) this.serverClosedUnseen = true;
      else resetSocket(client);
    });
    client.on('close', () => {
      this.clientClosed = true;
      toServer.stop();
      toClient.stop();
      server.destroy();
    });
    server.on('close', () => {
      if (!this.#dead && !client.writableEnded) toClient.end();
    });
  }

  reset(): void {
    resetSocket(this.client);
    resetSocket(this.server);
  }

  forget(): void {
    this.#forgotten = true;
  }

  get forgotten(): boolean {
    return this.#forgotten;
  }

  get #dead(): boolean {
    return this.#forgotten || this.controls.blackHole;
  }

  #fromServer(lane: Lane, bytes: Buffer): void {
    if (this.#encrypted === true) {
      this.#forward(lane, bytes, 0);
      return;
    }
    // Forward whole messages only, because each may have its own delay.
    this.#rest = Buffer.concat([this.#rest, bytes]);
    for (;;) {
      const length = this.#rest.length < 5 ? Infinity : 1 + this.#rest.readUInt32BE(1);
      if (this.#rest.length < length) return;
      const message = this.#rest.subarray(0, length);
      this.#rest = this.#rest.subarray(length);
      this.#forward(lane, message, this.controls.messageDelayMs(String.fromCharCode(message[0] ?? 0)));
    }
  }

  #forward(lane: Lane, bytes: Buffer, delayMs: number): void {
    const left = this.controls.cutAfterBytes - this.#serverBytes;
    this.#serverBytes += bytes.length;
    this.#send(lane, bytes.subarray(0, Math.max(0, left)), delayMs);
    if (bytes.length >= left) lane.whenSent(() => this.reset());
  }

  #send(lane: Lane, bytes: Buffer, delayMs: number): void {
    const { chunkBytes } = this.controls;
    let delay = delayMs + this.controls.delayMs;
    for (let at = 0; at < bytes.length; at += chunkBytes) {
      lane.push(bytes.subarray(at, Math.min(bytes.length, at + chunkBytes)), delay);
      delay = this.controls.delayMs;
      if (chunkBytes === Infinity) return;
    }
  }
}

/** One direction: pieces are sent in order, none before its time. */
class Lane {
  readonly #pieces: Piece[] = [];
  #timer: NodeJS.Timeout | undefined;
  #last = 0;
  #finish: (() => void) | undefined;
  #stopped = false;

  constructor(private readonly to: Socket) {}

  push(bytes: Buffer, delayMs: number): void {
    this.#last = Math.max(this.#last, performance.now()) + delayMs;
    this.#pieces.push({ bytes, sendAt: this.#last });
    this.#flush();
  }

  end(): void {
    this.whenSent(() => this.to.end());
  }

  whenSent(finish: () => void): void {
    this.#finish ??= finish;
    this.#flush();
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  #flush(): void {
    if (this.#stopped || this.#timer !== undefined) return;
    for (;;) {
      const [piece] = this.#pieces;
      if (piece === undefined) break;
      const wait = piece.sendAt - performance.now();
      if (wait > 0) {
        this.#timer = setTimeout(() => {
          this.#timer = undefined;
          this.#flush();
        }, wait);
        return;
      }
      this.#pieces.shift();
      if (this.to.writable) this.to.write(piece.bytes);
    }
    this.#finish?.();
  }
}

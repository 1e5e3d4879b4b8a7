import type { Socket } from 'node:net';
import type { ProxyControls } from './proxy.js';

/** The code of an SSLRequest, in the place where a startup message has its version. */
const SSL_REQUEST = 80_877_103;

interface Piece {
  readonly bytes: Buffer;
  readonly sendAt: number;
}

/** One proxied connection. */
export class ProxyLink {
  #encrypted: boolean | undefined;
  #serverBytes = 0;
  #rest: Buffer = Buffer.alloc(0);

  constructor(
    private readonly client: Socket,
    private readonly server: Socket,
    private readonly controls: ProxyControls,
    count: (bytes: number) => void,
  ) {
    const toServer = new Lane(server);
    const toClient = new Lane(client);
    client.on('data', (bytes: Buffer) => {
      count(bytes.length);
      this.#encrypted ??= bytes.length >= 8 && bytes.readUInt32BE(4) === SSL_REQUEST;
      if (!controls.blackHole) this.#send(toServer, bytes, 0);
    });
    server.on('data', (bytes: Buffer) => {
      if (!controls.blackHole) this.#fromServer(toClient, bytes);
    });
    client.on('end', () => controls.blackHole || toServer.end());
    server.on('end', () => controls.blackHole || toClient.end());
    client.on('error', () => undefined);
    server.on('error', () => controls.blackHole || client.resetAndDestroy());
    client.on('close', () => {
      toServer.stop();
      toClient.stop();
      server.destroy();
    });
    server.on('close', () => {
      if (!controls.blackHole && !client.writableEnded) toClient.end();
    });
  }

  reset(): void {
    this.client.resetAndDestroy();
    this.server.resetAndDestroy();
  }

  #fromServer(lane: Lane, bytes: Buffer): void {
    if (this.#encrypted === true) {
      this.#forward(lane, bytes, 0);
      return;
    }
    // Whole messages only: each may have a delay of its own.
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

/** One direction: pieces in order, none before its time. */
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

import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { afterAll, afterEach, beforeAll } from 'vitest';

/** What one client did. */
export interface FakeSession {
  readonly socket: Socket;
  /** Everything it sent, before encryption. */
  received: Buffer;
  /** Whether it has closed its side, or the connection was lost. */
  closed: boolean;
}

/** Called with each session and each piece it sends, and with an empty piece when the session opens. */
export type FakeReply = (session: FakeSession, piece: Buffer) => void;

/** The protocol's SSLRequest message. */
export const SSL_REQUEST = Buffer.from([0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f]);

const silent: FakeReply = () => undefined;

/**
 * Listens on 127.0.0.1 for the calling file's tests: a server that keeps all bytes it receives and answers with
 * `reply`, by default not at all.
 */
export function useFakeServer(): FakeServer {
  const fake = new FakeServer();
  beforeAll(() => fake.listen());
  afterEach(() => fake.clear());
  afterAll(() => fake.close());
  return fake;
}

/** A server with scripted replies. */
export class FakeServer {
  readonly host = '127.0.0.1';
  /** Every connection since the last test, oldest first. */
  sessions: FakeSession[] = [];
  /** Called to answer each piece. */
  reply: FakeReply = silent;
  readonly #server: Server = createServer({ allowHalfOpen: true }, (socket) => this.#accept(socket));

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Cumulative: connections since the last test, including all that were opened before this call. */
  async dialled(): Promise<number> {
    const before = this.sessions.length;
    const marker = connect(this.port, this.host);
    await new Promise((resolve, reject) => marker.once('connect', resolve).once('error', reject));
    const own = marker.localPort;
    // Connections are accepted in the order they were opened.
    while (!this.sessions.slice(before).some(({ socket }) => socket.remotePort === own)) {
      await new Promise(setImmediate);
    }
    marker.destroy();
    this.sessions = this.sessions.filter(({ socket }) => socket.remotePort !== own);
    return this.sessions.length;
  }

  async listen(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, this.host, resolve));
  }

  clear(): void {
    for (const { socket } of this.sessions.splice(0)) socket.destroy();
    this.reply = silent;
  }

  close(): void {
    this.clear();
    this.#server.close();
  }

  #accept(socket: Socket): void {
    const session: FakeSession = { socket, received: Buffer.alloc(0), closed: false };
    this.sessions.push(session);
    const ended = (): void => void (session.closed = true);
    socket.on('error', ended).on('end', ended).on('close', ended);
    socket.on('data', (piece: Buffer) => {
      session.received = Buffer.concat([session.received, piece]);
      this.reply(session, piece);
    });
    this.reply(session, Buffer.alloc(0));
  }
}

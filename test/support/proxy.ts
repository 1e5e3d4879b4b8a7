import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { afterAll, beforeAll } from 'vitest';
import { ProxyLink, type ProxyControls } from './proxy-link.js';
import { resetSocket } from '../../local-rds/reset-socket.js';

/** The controls of a proxy that only forwards. */
export const UNDISTURBED: ProxyControls = {
  delayMs: 0,
  chunkBytes: Infinity,
  messageDelayMs: () => 0,
  blackHole: false,
  refuse: false,
  cutAfterBytes: Infinity,
};

/** Starts a TCP proxy on 127.0.0.1 before the calling file's tests and closes it after them. */
export function useProxy(target: () => { readonly host: string; readonly port: number }): () => Proxy {
  let proxy: Proxy | undefined;
  beforeAll(async () => {
    proxy = new Proxy(target());
    await proxy.listen();
  });
  afterAll(() => proxy?.close());
  return () => {
    if (!proxy)
      throw new Error('the proxy of this file is not running yet: ask for it inside a test or hook');
    return proxy;
  };
}

/** A TCP proxy that can disturb the traffic. */
export class Proxy {
  /** Cumulative: connections accepted since `clear()`. */
  accepted = 0;
  /** Cumulative: bytes that clients sent since `clear()`. */
  clientBytes = 0;
  /** Cumulative: connections that did not begin with an SSLRequest, since `clear()`. */
  plain = 0;
  readonly controls: ProxyControls = { ...UNDISTURBED };
  readonly #links = new Set<ProxyLink>();
  #server: Server | undefined;
  #port = 0;

  /** Will listen on `host` at `port`; 0 picks a free port. */
  constructor(
    private readonly target: { readonly host: string; readonly port: number },
    readonly host = '127.0.0.1',
    port = 0,
  ) {
    this.#port = port;
  }

  get port(): number {
    return this.#port;
  }

  /** Current: connections that the client has not closed. */
  get open(): number {
    return [...this.#links].filter(({ clientClosed }) => !clientClosed).length;
  }

  /** Changes the given controls and keeps the others. */
  set(controls: Partial<ProxyControls>): void {
    Object.assign(this.controls, controls);
  }

  /** Ends every disturbance, drops every connection and counts from 0 again. */
  clear(): void {
    this.set(UNDISTURBED);
    this.resetAll();
    this.accepted = 0;
    this.clientBytes = 0;
    this.plain = 0;
  }

  /** Resets every open connection. */
  resetAll(): void {
    for (const link of this.#links) link.reset();
  }

  /** Makes every open connection go dead silently, as when a firewall forgets it; new ones are served. */
  forgetOpen(): void {
    for (const link of this.#links) link.forget();
  }

  /**
   * Resets connections that one side has closed without the other being notified, as TCP would once the path is free.
   */
  dropClosed(): void {
    for (const link of this.#links) {
      if (link.clientClosed || (link.serverClosedUnseen && !this.controls.blackHole)) link.reset();
    }
  }

  /** Resets the connections that `forgetOpen` made dead, as the server's keepalive would eventually. */
  resetForgotten(): void {
    for (const link of this.#links) if (link.forgotten) link.reset();
  }

  /** Starts listening, on the same port as before if there was one. */
  async listen(): Promise<void> {
    const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => this.#accept(socket));
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(this.#port, this.host, resolve);
    });
    this.#server = server;
    this.#port = (server.address() as AddressInfo).port;
  }

  /** Stops listening, so that the system refuses connections; open connections stay. */
  async pause(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    // The port is free at once; the callback of `close` would wait for the open connections.
    server?.close();
    await new Promise(setImmediate);
  }

  /** Stops listening and drops every connection. */
  async close(): Promise<void> {
    await this.pause();
    this.resetAll();
  }

  #accept(client: Socket): void {
    this.accepted += 1;
    if (this.controls.refuse) {
      client.on('error', () => undefined);
      resetSocket(client);
      return;
    }
    const { host, port } = this.target;
    const server = connect({ host, port, noDelay: true, allowHalfOpen: true });
    const link = new ProxyLink(client, server, this.controls, {
      sent: (bytes) => (this.clientBytes += bytes),
      plain: () => (this.plain += 1),
    });
    this.#links.add(link);
    client.once('close', () => this.#links.delete(link));
  }
}

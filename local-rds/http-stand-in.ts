import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { resetSocket } from './reset-socket.js';

/** The address a stand-in listens on. */
export interface ListenOptions {
  /** Address to listen on; default `127.0.0.1`. */
  readonly bindHost?: string;
  /** Port to listen on; default a free one. */
  readonly port?: number;
}

/** A fault to simulate; members that are absent or `undefined` have no effect. */
export interface HttpFault {
  /** Prefix of the affected paths; default all paths. */
  readonly path?: string;
  /** Delay of the answer in milliseconds. */
  readonly delayMs?: number;
  /** Replaces the correct status. */
  readonly status?: number;
  /** Replaces the correct body. */
  readonly body?: string;
  /** Accepts the request and never answers. */
  readonly hang?: boolean;
  /** Resets the connection instead of answering. */
  readonly reset?: boolean;
}

/** The answer of a stand-in. */
export interface Answer {
  readonly status: number;
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** An HTTP service that can be made to answer late, wrongly or not at all. */
export abstract class HttpStandIn {
  readonly #listenAt: { readonly host: string; readonly port: number };
  readonly #calls = new Map<string, number>();
  readonly #server = createServer((request, response) => this.#receive(request, response));
  #fault: HttpFault = {};

  /** @internal */
  protected constructor({ bindHost = '127.0.0.1', port = 0 }: ListenOptions) {
    this.#listenAt = { host: bindHost, port };
  }

  /** The correct answer to a request with this body. */
  protected abstract answer(request: IncomingMessage, url: URL, body: string): Answer | Promise<Answer>;

  /** The port it listens on. */
  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** The base URL, `http://127.0.0.1:port`. */
  get endpoint(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Replaces the current fault; `{}` ends it. */
  set(fault: HttpFault): void {
    this.#fault = fault;
  }

  /** The number of requests so far by method and path, as in `GET /latest/meta-data/placement/region`. */
  calls(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#calls);
  }

  /** Stops listening and closes all connections, including hanging ones. */
  async stop(): Promise<void> {
    if (!this.#server.listening) return;
    await new Promise((resolve) => {
      this.#server.close(resolve);
      this.#server.closeAllConnections();
    });
  }

  /** Calls `stop()`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  /** @internal */
  async listen(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(this.#listenAt, resolve);
    });
  }

  #receive(request: IncomingMessage, response: ServerResponse): void {
    // Not resolved against a base URL, because a path that begins with two slashes would name a host.
    const url = new URL(`http://stand-in${request.url ?? '/'}`);
    const call = `${request.method ?? ''} ${url.pathname}`;
    this.#calls.set(call, (this.#calls.get(call) ?? 0) + 1);
    const fault = url.pathname.startsWith(this.#fault.path ?? '/') ? this.#fault : {};
    if (fault.reset) resetSocket(request.socket);
    if (fault.hang || fault.reset) return;
    setTimeout(() => void this.#respond(request, url, fault, response), fault.delayMs ?? 0);
  }

  async #respond(
    request: IncomingMessage,
    url: URL,
    fault: HttpFault,
    response: ServerResponse,
  ): Promise<void> {
    const asked = await text(request).catch(() => '');
    const { status, body, headers } = { ...(await this.answer(request, url, asked)), ...definedOf(fault) };
    // No Content-Length, which would be wrong for a replaced body.
    response.writeHead(status, headers).end(body);
  }
}

function definedOf({ status, body }: HttpFault): Partial<Answer> {
  return { ...(status === undefined ? {} : { status }), ...(body === undefined ? {} : { body }) };
}

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { resetSocket } from './reset-socket.js';

/** Where a stand-in listens. */
export interface ListenOptions {
  /** Address to listen on; default `127.0.0.1`. */
  readonly bindHost?: string;
  /** Port to listen on; default a free one. */
  readonly port?: number;
}

/** What can go wrong; absent or `undefined` means it does not. */
export interface HttpFault {
  /** Path prefix the fault holds for; default all paths. */
  readonly path?: string;
  /** Milliseconds before the answer. */
  readonly delayMs?: number;
  /** Status instead of the right one. */
  readonly status?: number;
  /** Body instead of the right one. */
  readonly body?: string;
  /** Accepts the request and never answers. */
  readonly hang?: boolean;
  /** Resets the connection instead of answering. */
  readonly reset?: boolean;
}

/** What a stand-in answers. */
export interface Answer {
  readonly status: number;
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** A service on HTTP that can be slow, dead or lying. */
export abstract class HttpStandIn {
  readonly #listenAt: { readonly host: string; readonly port: number };
  readonly #calls = new Map<string, number>();
  readonly #server = createServer((request, response) => this.#receive(request, response));
  #fault: HttpFault = {};

  /** @internal */
  protected constructor({ bindHost = '127.0.0.1', port = 0 }: ListenOptions) {
    this.#listenAt = { host: bindHost, port };
  }

  /** The right answer to a request with this body. */
  protected abstract answer(request: IncomingMessage, url: URL, body: string): Answer | Promise<Answer>;

  /** Port it listens on. */
  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Base address, `http://127.0.0.1:port`. */
  get endpoint(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Replaces the fault by another; `{}` ends it. */
  set(fault: HttpFault): void {
    this.#fault = fault;
  }

  /** Requests so far by method and path, as in `GET /latest/meta-data/placement/region`. */
  calls(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#calls);
  }

  /** Stops listening and closes all connections, hanging ones included. */
  async stop(): Promise<void> {
    if (!this.#server.listening) return;
    await new Promise((resolve) => {
      this.#server.close(resolve);
      this.#server.closeAllConnections();
    });
  }

  /** As `stop()`. */
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
    // Not relative to a base: a path with two slashes is another path.
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
    // The length is left out: an overriding body may lie about nothing then.
    response.writeHead(status, headers).end(body);
  }
}

function definedOf({ status, body }: HttpFault): Partial<Answer> {
  return { ...(status === undefined ? {} : { status }), ...(body === undefined ? {} : { body }) };
}

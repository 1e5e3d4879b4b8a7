import type { IncomingMessage, ServerResponse } from 'node:http';
import { pageAssets } from './assets.js';
import { NOTHING_SEEN, type History, type Seen } from './history.js';

/** Allows nothing from another origin, no inline script or style, and no framing. */
const HEADERS = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
  'cache-control': 'no-store',
};
const MOST_READERS = 32;
/** The most that may wait to be sent to a sleeping page, which starts over when it wakes. */
const MOST_UNSENT = 4 * 2 ** 20;
/** How often a page gets a heartbeat, even without new data, in milliseconds. */
const ALIVE_EVERY_MS = 5_000;
const LOOPBACK = /^(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/;

/** Serves the page and the events that fill it. */
export class LivePage {
  readonly #assets = pageAssets();
  readonly #readers = new Set<ServerResponse>();

  constructor(private readonly history: History) {}

  handle(request: IncomingMessage, response: ServerResponse): void {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://page');
    // Otherwise another site could point its own host name here (DNS rebinding).
    if (!LOOPBACK.test(request.headers.host ?? '')) {
      refuse(response, 403, 'open it as 127.0.0.1');
      return;
    }
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      refuse(response, 405, 'GET only');
      return;
    }
    if (pathname === '/events') {
      this.#events(response, searchParams);
      return;
    }
    const asset = this.#assets.get(pathname);
    if (asset === undefined) {
      refuse(response, 404, 'see /');
      return;
    }
    response.writeHead(200, { ...HEADERS, 'content-type': asset.type, 'content-length': asset.body.length });
    response.end(request.method === 'HEAD' ? undefined : asset.body);
  }

  #events(response: ServerResponse, query: URLSearchParams): void {
    if (this.#readers.size >= MOST_READERS) {
      refuse(response, 503, 'too many pages are open');
      return;
    }
    const selection = { pool: query.get('pool') ?? undefined, instance: query.get('instance') ?? undefined };
    response.writeHead(200, { ...HEADERS, 'content-type': 'text/event-stream' });
    this.#readers.add(response);
    let seen: Seen = NOTHING_SEEN;
    const write = (event: string, data: unknown): void => {
      response.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
      if (response.writableLength > MOST_UNSENT) response.destroy();
    };
    const send = (event: 'all' | 'update'): void => {
      const next = this.history.since(seen, selection);
      seen = next.seen;
      write(event, next.update);
    };
    const alive = setInterval(() => write('alive', true), ALIVE_EVERY_MS).unref();
    const stop = this.history.onChange(() => send('update'));
    response.on('error', () => undefined);
    response.on('close', () => {
      clearInterval(alive);
      stop();
      this.#readers.delete(response);
    });
    response.write('retry: 1000\n\n');
    send('all');
  }
}

function refuse(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { ...HEADERS, 'content-type': 'text/plain' }).end(`${text}\n`);
}

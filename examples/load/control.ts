import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import type { Pace, Workload } from '../demo/workload.js';
import type { Leak } from './leak.js';
import type { Truth } from './truth.js';

/** The body of `POST /load`. */
export type Load = Pace & { readonly clients: number; readonly leak: number };

const NAMES: readonly (keyof Load)[] = [
  'clients',
  'leak',
  'thinkMs',
  'queryMs',
  'holdMs',
  'discard',
  'failing',
  'timingOut',
  'aborting',
];

/** Serves `/stat` and `/load` on loopback; resolves with the URL. The server does not keep the process alive. */
export async function serveControl(
  port: number,
  truth: () => Truth,
  workload: Workload,
  leak: Leak,
): Promise<string> {
  const server = createServer((request, response) => {
    answer(request, truth, workload, leak).then(
      (body) => reply(response, 200, body),
      (error: unknown) => reply(response, 400, { error: (error as Error).message }),
    );
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  server.unref();
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function answer(
  request: IncomingMessage,
  truth: () => Truth,
  workload: Workload,
  leak: Leak,
): Promise<Truth> {
  const call = `${request.method} ${request.url}`;
  if (call === 'POST /load') await apply(readLoad(await text(request)), workload, leak);
  else if (call !== 'GET /stat') throw new Error('there is GET /stat and POST /load');
  return truth();
}

function readLoad(body: string): Partial<Load> {
  const given = JSON.parse(body) as Record<string, unknown>;
  for (const [name, value] of Object.entries(given)) {
    if (!(NAMES as readonly string[]).includes(name)) throw new Error(`unknown: ${name}`);
    if (typeof value !== 'number' || !(value >= 0)) throw new Error(`${name} must be a number from 0`);
  }
  return given;
}

async function apply({ clients, leak: held, ...pace }: Partial<Load>, workload: Workload, leak: Leak) {
  Object.assign(workload.pace, pace);
  if (clients !== undefined) workload.setWorkers(clients);
  if (held !== undefined) await leak.set(held);
}

function reply(response: ServerResponse, status: number, body: object): void {
  // No keep-alive: a request sent while the server closes an idle connection would fail.
  const headers = { 'content-type': 'application/json', connection: 'close' };
  response.writeHead(status, headers).end(JSON.stringify(body));
}

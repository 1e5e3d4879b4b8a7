import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import type { Update } from '../../src/watch/history.js';
import { runScript, type Child } from './child.js';

const MAIN = new URL('../../src/cli/main.ts', import.meta.url);

/** Starts `pgauge watch` as a separate process. */
export function startWatch(...args: readonly string[]): Child {
  return runScript(MAIN, ['watch', ...args], { timeoutMs: 100_000 });
}

/** Runs `pgauge watch`, which must end by itself. */
export async function runWatch(...args: readonly string[]) {
  const { code, lines, stderr } = await startWatch(...args).result;
  return { code, stdout: lines.join('\n'), stderr };
}

/** An endpoint on loopback that lasts until the test ends. */
export interface Endpoint {
  readonly url: string;
  /** Closes it earlier. */
  close(): void;
  /** Listens again on the same port. */
  reopen(): Promise<void>;
}

/** Starts an endpoint. */
export async function serve(listener: RequestListener): Promise<Endpoint> {
  const server = createServer(listener);
  const listen = async (port: number): Promise<void> => {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
  };
  const close = (): void => {
    server.close();
    server.closeAllConnections();
  };
  await listen(0);
  onTestFinished(close);
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}/metrics`, close, reopen: () => listen(port) };
}

/** The first event of a live page, which contains everything that the page shows. */
export async function firstEvent(url: string | URL): Promise<Update> {
  const { body } = await fetch(url);
  const decoder = new TextDecoder();
  let text = '';
  for await (const part of body ?? []) {
    text += decoder.decode(part as Uint8Array, { stream: true });
    const data = /^event: all\ndata: (.*)\n\n/m.exec(text)?.[1];
    // Leaving the loop closes the connection.
    if (data !== undefined) return JSON.parse(data) as Update;
  }
  throw new Error(`no event: ${text}`);
}

import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { CuttablePath } from '../../support/cuttable-path.js';

const server = createServer((request, response) => {
  if (request.url !== '/never') response.end('here');
});
let path: CuttablePath;
beforeEach(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  path = await CuttablePath.to((server.address() as AddressInfo).port);
});
afterEach(async () => {
  await path[Symbol.asyncDispose]();
  server.closeAllConnections();
  server.close();
});

const get = async (url = '/'): Promise<string> =>
  await (await fetch(`http://127.0.0.1:${path.port}${url}`)).text();

test('a path that can be cut forwards connections to its target', async () => {
  expect(await get()).toBe('here');
});

test('a cut path ends open connections and refuses new ones', async () => {
  const waiting = expect(get('/never')).rejects.toThrow('fetch failed');
  await once(server, 'request');
  await path.cut();
  await waiting;
  await expect(get()).rejects.toThrow('fetch failed');
});

test('a rejoined path forwards connections again, from the same port', async () => {
  const { port } = path;
  await path.cut();
  await path.join();
  expect(path.port).toBe(port);
  expect(await get()).toBe('here');
});

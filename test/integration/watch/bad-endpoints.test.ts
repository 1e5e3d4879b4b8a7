import type { RequestListener } from 'node:http';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { runWatch, serve } from '../../support/watch.js';

const text =
  (body: string | Buffer, headers: Record<string, string> = {}): RequestListener =>
  (_, response) =>
    response.writeHead(200, headers).end(body);

const series = (pool: string): string =>
  ['pgauge_pool_info', 'db_client_connection_limit']
    .map((name) => `${name}{db_client_connection_pool_name="${pool}"} 1\n`)
    .join('');

const MIB = 2 ** 20;

describe('watch stops with a reason and exit code 1 at an endpoint that', () => {
  it.each<[string, RequestListener, string]>([
    ['is a web page', text('<!doctype html><p>hello'), "does not answer in Prometheus' text format (line 1)"],
    ['answers JSON', text('{"status": "up"}'), "does not answer in Prometheus' text format (line 1)"],
    ['is of another library', text('db_client_connection_count{state="used"} 1\n'), 'no series of pgauge'],
    ['is empty', text(''), 'no series of pgauge'],
    ['fails', (_, response) => response.writeHead(503).end(), 'it answers with status 503'],
    [
      'redirects',
      (_, response) => response.writeHead(302, { location: 'http://example.invalid/' }).end(),
      'it redirects to another address',
    ],
    ['breaks off', (_, response) => response.socket?.destroy(), 'the request failed'],
    ['is huge', text(Buffer.alloc(17 * MIB, '# \n')), 'its answer exceeds 16 MiB'],
    [
      'is huge once it is unpacked',
      text(gzipSync(Buffer.alloc(64 * MIB, '# \n')), { 'content-encoding': 'gzip' }),
      'its answer exceeds 16 MiB',
    ],
    ['is not what it says', text('plain', { 'content-encoding': 'gzip' }), 'the request failed'],
    [
      'has more names than can be kept',
      text(
        Array.from(
          { length: 10_001 },
          (_, i) => `pgauge_pool_info{db_client_connection_pool_name="${i}"} 1`,
        ).join('\n'),
      ),
      'it has more than 10000 pools',
    ],
    // Neither the headers nor the body arrive.
    ['never answers', () => undefined, 'no whole answer within 10 s'],
    [
      'never stops',
      (_, response) => {
        const timer = setInterval(() => response.write('# more\n'), 50);
        response.on('close', () => clearInterval(timer));
      },
      'no whole answer within 10 s',
    ],
  ])('%s', async (_, listener, reason) => {
    const { url } = await serve(listener);
    const { code, stdout, stderr } = await runWatch(url, '--once');
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(/^pgauge: .*\n$/);
    expect(stderr).toContain(url);
    expect(stderr).toContain(reason);
  });
});

it('watch reads a compressed answer', async () => {
  const { url } = await serve(text(gzipSync(series('orders')), { 'content-encoding': 'gzip' }));
  const { code, stdout } = await runWatch(url, '--once');
  expect(code).toBe(0);
  expect(stdout).toMatch(/^orders +0 +0 +0 +1 /m);
});

it('watch prints a hostile pool name without terminal control characters', async () => {
  const name = '\u001b[2J\u009b31m\u202e<img src=x onerror=alert(1)>\r';
  const { url } = await serve(text(series(name) + 'pgauge_evil_total{x="\u001b]0;y"} 1e400\n'));
  const [table, json] = await Promise.all([runWatch(url, '--once'), runWatch(url, '--json')]);
  expect(table.code).toBe(0);
  expect(table.stdout).toContain('<img src=x onerror=alert(1)>');
  expect(table.stdout).not.toMatch(/[^\P{C}\n]/u);
  const { pools } = JSON.parse(json.stdout) as { pools: { pool: string }[] };
  expect(pools.map(({ pool }) => pool)).toEqual([name]);
});

it('watch does not repeat the query string of a URL, which may contain a token', async () => {
  const { url } = await serve((_, response) => response.writeHead(401).end());
  const { stderr } = await runWatch(`${url}?token=canary`, '--once');
  expect(stderr).toBe(`pgauge: ${url}: it answers with status 401\n`);
});

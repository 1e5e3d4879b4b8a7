import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { DEFAULT_PORT, USAGE } from '../../../src/watch/arguments.js';
import { jsonReading } from '../../../src/watch/json.js';
import { MOST_POOLS, readingOf } from '../../../src/watch/reading.js';
import { SCRAPE_LIMITS } from '../../../src/watch/scrape.js';

const PAGE = readFileSync(new URL('../../../docs/watch.md', import.meta.url), 'utf8');

it('docs/watch.md names every option', () => {
  const options = [...USAGE.matchAll(/^ {2}(--[a-z-]+)/gm)].map(([, name = '']) => name);
  expect(options.length).toBeGreaterThan(5);
  for (const option of options) expect(PAGE).toContain(`\`${option}`);
});

it('docs/watch.md names every field of the JSON', () => {
  const text = 'pgauge_pool_info{db_client_connection_pool_name="p"} 1';
  const { pools, ...report } = jsonReading(readingOf(text, 0), 'http://host/metrics', '1.0.0') as {
    pools: Record<string, Record<string, unknown>>[];
  };
  for (const name of Object.keys(report)) expect(PAGE).toContain(`\`${name}\``);
  const [pool = {}] = pools;
  expect(Object.keys(pool).length).toBeGreaterThan(10);
  for (const name of Object.keys(pool)) expect(PAGE).toMatch(new RegExp(`\`(pools\\[\\])?\\.${name}\``));
  for (const name of Object.keys(pool['acquire'] ?? {})) expect(PAGE).toContain(`\`${name}\``);
});

it('docs/watch.md states the limits and the port', () => {
  const { ms, bytes } = SCRAPE_LIMITS;
  expect(PAGE).toContain(`An answer may take ${ms / 1_000} s and have ${bytes / 2 ** 20} MiB`);
  expect(PAGE).toContain(`${MOST_POOLS} pools of all instances are shown`);
  expect(PAGE).toContain(`<http://127.0.0.1:${DEFAULT_PORT}/>`);
});

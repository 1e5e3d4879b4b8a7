import { describe, expect, test } from 'vitest';
import { usePools } from '../../support/pools.js';
import { usePostgres } from '../../support/servers.js';

const server = usePostgres();
const makePool = usePools(server);

/** Like the classes of tagged templates: the text is a getter. */
class Tagged {
  constructor(
    readonly parts: readonly string[],
    readonly values: readonly unknown[],
  ) {}
  get text(): string {
    return this.parts.reduce((text, part, at) => `${text}$${at}${part}`);
  }
}

const ONE = [{ n: 1 }];
const POOLS = [
  ['without options', {}],
  ['with queryTimeoutMs', { queryTimeoutMs: 60_000 }],
  ['with queryTelemetry', { queryTelemetry: true }],
  ['with SQL comments', { queryTelemetry: { comment: 'service' } }],
] as const;

describe.each(POOLS)("a query's config, %s,", (_title, options) => {
  test.each([
    ['used twice', () => ({ text: 'select 1 as n' })],
    ['with a limit, used twice,', () => ({ text: 'select 1 as n', timeoutMs: 60_000 })],
    ['with a signal, used twice,', () => ({ text: 'select 1 as n', signal: new AbortController().signal })],
    ['frozen', () => Object.freeze({ text: 'select 1 as n', timeoutMs: 60_000 })],
    ['of a tagged template', () => new Tagged(['select ', '::int as n'], [1]) as unknown as { text: string }],
    [
      'of a tagged template with a limit',
      () =>
        Object.assign(new Tagged(['select ', '::int as n'], [1]), { timeoutMs: 60_000 }) as unknown as {
          text: string;
        },
    ],
  ])('%s is answered each time and not changed', async (_form, make) => {
    const pool = await makePool(server(), { maxOpenConns: 1 }, options);
    const config = make();
    const before = Object.getOwnPropertyDescriptors(config);
    const client = await pool.connect();
    for (let times = 0; times < 2; times++) expect((await client.query(config)).rows).toEqual(ONE);
    client.release();
    expect(Object.getOwnPropertyDescriptors(config)).toEqual(before);
  });

  test('with the name of a prepared statement and another text fails alone, and the connection is kept', async () => {
    const pool = await makePool(server(), { maxOpenConns: 1 }, options);
    await pool.query({ name: 'one', text: 'select 1 as n' });
    for (const timeoutMs of [undefined, 60_000]) {
      const other = pool.query({ name: 'one', text: 'select 2 as n', timeoutMs });
      await expect(other).rejects.toThrow('must be unique');
    }
    expect((await pool.query({ name: 'one', text: 'select 1 as n' })).rows).toEqual(ONE);
    expect(pool.stat().newConnsCount).toBe(1);
  });
});

import { AsyncLocalStorage } from 'node:async_hooks';
import { BasicTracerProvider, type ReadableSpan, type SpanProcessor } from '@opentelemetry/sdk-trace-base';
import { expect, test } from 'vitest';
import { usePools } from '../../support/pools.js';
import { usePostgres } from '../../support/servers.js';

const server = usePostgres();
const makePool = usePools(server);

test('row-level security with onAcquire: each tenant sees its own rows, and is on the spans of its queries, although all share a connection', async () => {
  const tenant = new AsyncLocalStorage<string>();
  const ended: ReadableSpan[] = [];
  const processor: SpanProcessor = {
    onStart: (span) => {
      span.setAttribute('app.tenant', tenant.getStore() ?? 'none');
    },
    onEnd: (span) => void ended.push(span),
    forceFlush: () => Promise.resolve(),
    shutdown: () => Promise.resolve(),
  };
  const owner = await makePool(server());
  await owner.query(`
    create table documents (tenant text not null, body text);
    alter table documents enable row level security;
    create policy tenant on documents using (tenant = current_setting('app.tenant'));
    insert into documents select 'tenant ' || n, 'of ' || n from generate_series(0, 9) as n;
    create role reader; grant select on documents to reader`);
  const pool = await makePool(
    server(),
    { maxOpenConns: 1 },
    {
      tracerProvider: new BasicTracerProvider({ spanProcessors: [processor] }),
      queryTelemetry: true,
      afterConnect: async (client) => {
        await client.query('set role reader');
      },
      onAcquire: async (client) => {
        await client.query({
          text: "select set_config('app.tenant', $1, false)",
          values: [tenant.getStore() ?? ''],
        });
      },
    },
  );
  const names = Array.from({ length: 10 }, (_, n) => `tenant ${n}`);
  const seen = await Promise.all(
    names.map((name) => tenant.run(name, () => pool.query<{ tenant: string }>('table documents'))),
  );
  expect(seen.map(({ rows }) => rows.map((row) => row.tenant))).toEqual(names.map((name) => [name]));
  for (const summary of ['table documents', 'select']) {
    const spans = ended.filter(({ name }) => name === summary);
    expect(spans.map(({ attributes }) => attributes['app.tenant']).sort(), summary).toEqual(names);
  }
});

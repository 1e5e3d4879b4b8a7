import { PrometheusExporter } from '@opentelemetry/exporter-prometheus';
import { MeterProvider } from '@opentelemetry/sdk-metrics';
import { expect, it } from 'vitest';
import { freePorts } from '../../support/free-ports.js';
import { usePools } from '../../support/pools.js';
import { usePostgres } from '../../support/servers.js';
import { until } from '../../support/until.js';
import { firstEvent, runWatch, serve, startWatch } from '../../support/watch.js';

const postgres = usePostgres();
const pools = usePools(() => postgres());

/** An application with these pools, and its endpoint. */
async function application(...names: readonly string[]) {
  const exporter = new PrometheusExporter({ preventServerStart: true });
  const meterProvider = new MeterProvider({ readers: [exporter] });
  const made = await Promise.all(
    names.map((poolName) =>
      pools(postgres(), { maxOpenConns: 5 }, { poolName, meterProvider, queryTelemetry: { spans: 'never' } }),
    ),
  );
  const endpoint = await serve((request, response) => exporter.getMetricsRequestHandler(request, response));
  return { pools: made, ...endpoint };
}

it('--json prints the numbers of pool.stat()', async () => {
  const {
    pools: [pool],
    url,
  } = await application('orders');
  const client = await pool?.connect();
  await pool?.query('select 1');
  const { code, stdout, stderr } = await runWatch(url, '--json');
  const stat = pool?.stat();
  client?.release();
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const reading = JSON.parse(stdout) as { url: string; pools: Record<string, unknown>[]; left_out: number };
  expect(reading).toMatchObject({ schema: 1, url, left_out: 0 });
  expect(reading.pools).toEqual([
    expect.objectContaining({
      ...{ pool: 'orders', instance: null, pending: 0, longest_wait_s: 0, queries: 1, query_errors: 0 },
      ...{
        used: stat?.acquiredConns,
        idle: stat?.idleConns,
        limit: stat?.maxConns,
        opened: stat?.newConnsCount,
      },
    }),
  ]);
  expect(reading.pools[0]?.['acquire']).toMatchObject({ count: 2, p99_s: expect.any(Number) as number });
});

it('watch prints a table with a row for each pool, or for the selected one', async () => {
  const { pools: made, url } = await application('orders', 'users');
  await made[0]?.query('select 1');
  const [all, one] = await Promise.all([runWatch(url, '--once'), runWatch(url, '--once', '--pool', 'users')]);
  expect(all.stdout).toMatch(/^pool +used +idle +connecting +limit/m);
  expect(all.stdout).toMatch(/^orders +0 +1 +0 +5 +0 +- +[\d.]+ m?s +- +1 +1 +0$/m);
  expect(all.stdout).toMatch(/^users +0 +0 +0 +5 /m);
  expect(one.stdout).toMatch(/^users /m);
  expect(one.stdout).not.toContain('orders');
});

it('watch lists the existing pools when the selected one does not exist', async () => {
  const { url } = await application('orders', 'users');
  const { code, stdout, stderr } = await runWatch(url, '--once', '--pool', 'other');
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr).toContain('no pool in it is the selected one; it has "orders", "users"');
});

it('watch prints a line for each reading, serves the page, and ends on SIGINT', async () => {
  const { pools: made, url } = await application('orders', 'users');
  const watch = startWatch(url, '--port', '0', '--pool', 'orders');
  const first = await watch.line('Watch it live');
  const page = first.replace(/^.* /, '');
  await watch.line(/ used=0 idle=0 .* queries_per_s=0\.0 /);
  await made[0]?.query('select 1');
  await watch.line(/^at=\S+ pools=1 .* idle=1 .* limit=5 .* queries_per_s=0\.[1-9]/);
  const html = await fetch(page);
  expect(html.headers.get('content-security-policy')).toContain("default-src 'none'");
  expect(await html.text()).toContain('<script src="uPlot.js" defer>');
  const { state, choices, figures } = await firstEvent(`${page}events`);
  expect(state).toEqual({ live: true, text: 'Live' });
  // The other pool is not selected.
  expect(choices.pools).toEqual(['orders']);
  expect(figures.at(-1)).toMatchObject({ pools: 1, idle: 1, limit: 5 });
  watch.kill('SIGINT');
  const { code, stderr } = await watch.result;
  expect({ code, stderr }).toEqual({ code: 130, stderr: '' });
});

it('watch reports when the process is gone, continues when it is back, and gives up after half a minute', async () => {
  const { url, close, reopen } = await application('orders');
  const watch = startWatch(url, '--port', '0');
  const page = (await watch.line('Watch it live')).replace(/^.* /, '');
  const untilLive = async (live: boolean): Promise<string> => {
    return await until(`the page says so: ${live}`, async () => {
      const { state } = await firstEvent(`${page}events`);
      return state.live === live ? state.text : undefined;
    });
  };
  await untilLive(true);
  close();
  expect(await untilLive(false)).toMatch(
    /^The process does not answer: .*ECONNRE(SET|FUSED).*The last values are shown\.$/,
  );
  await reopen();
  expect(await untilLive(true)).toBe('Live');
  close();
  const { code, stderr } = await watch.result;
  expect(code).toBe(1);
  expect(stderr).toContain('pgauge: The process does not answer');
  expect(stderr).toMatch(/: it has not answered for \d+ s: no process listens there \(ECONNREFUSED\)\n$/);
});

it('watch names the port that is taken, and the option to choose another', async () => {
  const { url } = await application('orders');
  const port = new URL(url).port;
  const { code, stderr } = await runWatch(url, '--port', port);
  expect(code).toBe(1);
  expect(stderr).toContain(
    `port ${port} on 127.0.0.1, where the page was to be served, is taken; give another with --port <n>`,
  );
});

it('watch reports that no process listens', async () => {
  const [port = 0] = await freePorts(1);
  const { code, stdout, stderr } = await runWatch(`127.0.0.1:${port}`, '--once');
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr).toBe(`pgauge: http://127.0.0.1:${port}/metrics: no process listens there (ECONNREFUSED)\n`);
});

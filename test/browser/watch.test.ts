import { PrometheusExporter } from '@opentelemetry/exporter-prometheus';
import { MeterProvider } from '@opentelemetry/sdk-metrics';
import { expect, it } from 'vitest';
import { usePools } from '../support/pools.js';
import { usePostgres } from '../support/servers.js';
import { until } from '../support/until.js';
import { serve, startWatch } from '../support/watch.js';
import { useChromium } from './chromium.js';
import { chartsOf, open, stateOf, tilesOf } from './live-page.js';

const postgres = usePostgres();
const pools = usePools(() => postgres());
const browser = useChromium();

/** Starts `pgauge watch` and returns its page's URL. */
async function watched(url: string) {
  const watch = startWatch(url, '--port', '0');
  const page = (await watch.line('Watch it live')).replace(/^.* /, '');
  return { watch, page };
}

it('the live page shows the numbers of pool.stat(), for all pools or the selected one, and says when the process is gone', async () => {
  const exporter = new PrometheusExporter({ preventServerStart: true });
  const meterProvider = new MeterProvider({ readers: [exporter] });
  const make = (poolName: string, maxOpenConns: number) =>
    pools(postgres(), { maxOpenConns }, { poolName, meterProvider });
  const [orders, users] = [await make('orders', 3), await make('users', 4)];
  const endpoint = await serve((request, response) => exporter.getMetricsRequestHandler(request, response));
  const clients = await Promise.all([orders.connect(), orders.connect(), orders.connect()]);
  const waiting = orders.connect();
  waiting.catch(() => undefined);
  await users.query('select 1');

  const { watch, page: url } = await watched(endpoint.url);
  const { page, problems } = await open(browser(), url);
  await page.locator('#now dd').first().waitFor();
  const stats = [orders.stat(), users.stat()];
  const sum = (key: 'acquiredConns' | 'idleConns' | 'maxConns'): number =>
    stats.reduce((all, stat) => all + stat[key], 0);
  expect(await tilesOf(page)).toMatchObject({
    'Used of limit': `${sum('acquiredConns')} / ${sum('maxConns')}`,
    ...{ Idle: String(sum('idleConns')), Connecting: '0', Waiting: '1' },
  });

  await page.getByRole('combobox', { name: 'Pool' }).selectOption('users');
  const { acquiredConns, maxConns, idleConns } = users.stat();
  await until('the page shows the chosen pool alone', async () => {
    const tiles = await tilesOf(page);
    return tiles['Used of limit'] === `${acquiredConns} / ${maxConns}` && tiles['Idle'] === String(idleConns);
  });
  const { lines = [] } = (await chartsOf(page))['Connections, and their limit'] ?? {};
  expect(lines.map(({ label, now }) => [label, now])).toEqual([
    ['limit', '4'],
    ['used', '0'],
    ['idle', '1'],
    ['connecting', '0'],
  ]);
  for (const client of clients) client.release();
  (await waiting).release();

  endpoint.close();
  await until('the page says that the process does not answer', async () =>
    (await stateOf(page)).startsWith('The process does not answer'),
  );
  watch.kill('SIGTERM');
  await watch.result;
  await until('the page says that the process is gone', async () =>
    (await stateOf(page)).startsWith('The process is gone'),
  );
  expect(problems).toEqual([]);
});

it('the live page shows a hostile pool name as text', async () => {
  const name = '<img src=x onerror=document.title=1><script>document.title=2</script>';
  const labels = (pool: string): string => `db_client_connection_pool_name="${pool}"`;
  const { url } = await serve((_, response) =>
    response.end(
      `pgauge_pool_info{${labels(name)}} 1\npgauge_pool_info{${labels('other')}} 1\n` +
        `pgauge_connection_closed_total{${labels(name)},pgauge_connection_close_reason="${name}"} ${Date.now()}\n`,
    ),
  );
  const { page: pageUrl } = await watched(url);
  const { page, problems } = await open(browser(), pageUrl);
  await until('the reason is in a table', async () => {
    const { lines = [] } = (await chartsOf(page))['Connections opened, and closed by reason'] ?? {};
    return lines.some(({ label }) => label === `closed: ${name}`);
  });
  expect(await page.locator('#pool option').allTextContents()).toContain(name);
  expect(await page.locator('img').count()).toBe(0);
  expect(await page.locator('script').count()).toBe(2);
  expect(await page.title()).toMatch(/^pgauge: 127\.0\.0\.1:/);
  expect(problems).toEqual([]);
});

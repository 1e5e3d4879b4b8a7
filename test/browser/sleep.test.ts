import { createServer } from 'node:http';
import { expect, it, onTestFinished } from 'vitest';
import { History } from '../../src/watch/history.js';
import { LivePage } from '../../src/watch/live-page.js';
import { listenOnLoopback } from '../../src/watch/listen.js';
import { readingOf } from '../../src/watch/reading.js';
import { until } from '../support/until.js';
import { serve, startWatch } from '../support/watch.js';
import { useChromium } from './chromium.js';
import { chartsOf, drawnColumns, open, stateOf, tilesOf } from './live-page.js';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const browser = useChromium();

function exposition(used: number): string {
  const pool = 'db_client_connection_pool_name="orders"';
  return (
    `pgauge_pool_info{${pool}} 1\ndb_client_connection_limit{${pool}} 10\n` +
    `db_client_connection_count{${pool},db_client_connection_state="used"} ${used}\n`
  );
}

const widestGap = (columns: readonly number[]): number =>
  Math.max(...columns.slice(1).map((column, i) => column - (columns[i] ?? 0)));

/** Serves a live page with a reading at each of these seconds, and opens it. */
async function pageWith(seconds: readonly number[]) {
  const history = new History('orders', { live: true, text: 'Live' }, SECOND);
  const livePage = new LivePage(history);
  const server = createServer((request, response) => livePage.handle(request, response));
  const url = await listenOnLoopback(server, { port: 0, from: 0, serves: 'the page', option: '--port' });
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  const begin = Date.now();
  const add = (second: number, used: number): void =>
    history.add(readingOf(exposition(used), begin + second * SECOND));
  for (const second of seconds) add(second, 1);
  return { add, ...(await open(browser(), `${url}/`)) };
}

it('the live page draws a single reading between two gaps as a point', async () => {
  const { page, problems } = await pageWith([0, 1, 2, 3, 50, 97, 98, 99, 100]);
  const isMiddle = (column: number): boolean => column > 0.4 && column < 0.7;
  await until('it is drawn', async () => (await drawnColumns(page, 'connections')).some(isMiddle));
  // The lines on both sides have no points on them, and the gaps stay empty.
  expect(widestGap(await drawnColumns(page, 'connections'))).toBeGreaterThan(0.3);
  expect((await drawnColumns(page, 'connections')).filter(isMiddle).length).toBeLessThan(40);
  expect(problems).toEqual([]);
});

it(
  'a live page that was frozen draws the missed readings in one go and shows the latest',
  { timeout: 2 * MINUTE },
  async () => {
    const { add, page, problems } = await pageWith([0]);
    await until(
      'the page shows the first reading',
      async () => (await tilesOf(page))['Used of limit'] === '1 / 10',
    );
    await page.evaluate(() => {
      const { prototype } = CanvasRenderingContext2D;
      const { clearRect } = prototype;
      Object.assign(window, { drawings: 0 });
      prototype.clearRect = function (...area) {
        Object.assign(window, { drawings: (window as unknown as { drawings: number }).drawings + 1 });
        clearRect.apply(this, area);
      };
    });

    const session = await page.context().newCDPSession(page);
    await session.send('Page.setWebLifecycleState', { state: 'frozen' });
    // An hour passes in the process that the page shows.
    for (let second = 1; second <= 3_600; second += 1) {
      add(second, 2);
      if (second % 50 === 0) await new Promise(setImmediate);
    }
    add(3_601, 7);
    await session.send('Page.setWebLifecycleState', { state: 'active' });

    await until(
      'the page shows the latest reading',
      async () => (await tilesOf(page))['Used of limit'] === '7 / 10',
    );
    expect(await stateOf(page)).toBe('Live');
    // The first reading has left the page's window, which is bounded.
    expect((await chartsOf(page))['Connections, and their limit']?.lines[1]).toMatchObject({
      now: '7',
      highest: '7',
    });
    const drawings = await page.evaluate(() => (window as unknown as { drawings: number }).drawings);
    const charts = await page.locator('figure').count();
    expect(drawings, 'drawings of all charts').toBeLessThan(charts * 100);
    expect(problems).toEqual([]);
  },
);

it(
  'the live page says that no readings arrive while the process is stopped, and leaves a gap for that time',
  { timeout: 3 * MINUTE },
  async () => {
    let scrapes = 0;
    const endpoint = await serve((_, response) => {
      scrapes += 1;
      response.end(exposition(3));
    });
    const watch = startWatch(endpoint.url, '--port', '0');
    const url = (await watch.line('Watch it live')).replace(/^.* /, '');
    const { page, problems } = await open(browser(), url);
    // The first two readings are so close together that they cannot be seen next to a gap.
    await until('a line of some seconds', () => scrapes > 5);
    await until('it is drawn', async () => (await drawnColumns(page, 'connections')).length > 100);

    watch.kill('SIGSTOP');
    await until(
      'the page says so',
      async () => (await stateOf(page)).startsWith('Nothing heard for 20 s'),
      MINUTE,
    );
    expect((await tilesOf(page))['Used of limit']).toBe('3 / 10');
    watch.kill('SIGCONT');
    await until('the page is live again', async () => (await stateOf(page)) === 'Live', MINUTE);
    await until(
      'the gap is drawn',
      async () => widestGap(await drawnColumns(page, 'connections')) > 0.1,
      MINUTE,
    );
    // The gap does not close when more readings arrive.
    await until(
      'the line goes on',
      async () => ((await drawnColumns(page, 'connections')).at(-1) ?? 0) > 0.9,
      MINUTE,
    );
    expect(widestGap(await drawnColumns(page, 'connections'))).toBeGreaterThan(0.1);
    expect(problems).toEqual([]);
  },
);

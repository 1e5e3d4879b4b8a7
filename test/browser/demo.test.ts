import { mkdirSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { runScript } from '../support/child.js';
import { until } from '../support/until.js';
import { openChromium, useChromium } from './chromium.js';
import {
  chartsOf,
  DESKTOP,
  expectAccessible,
  open,
  PHONE,
  stateOf,
  tilesOf,
  type Look,
} from './live-page.js';

const DEMO = new URL('../../examples/demo/main.ts', import.meta.url);
const RUN_MS = 240_000;
/** The folder for the pictures, which the run prints. */
const PICTURES = process.env['PGAUGE_PICTURES'] ?? mkdtempSync(join(tmpdir(), 'pgauge-pictures-'));
mkdirSync(PICTURES, { recursive: true });

const browser = useChromium();

it('the browser tests name the command that installs Chromium when it is missing', async () => {
  await expect(openChromium('/nowhere/chromium')).rejects.toThrow(
    'no Chromium at /nowhere/chromium: apt-get install -y chromium',
  );
});

it(
  'the live page shows data in every chart of the demo, in dark and light mode and on a phone, and says when the demo has ended',
  { timeout: RUN_MS },
  async () => {
    const demo = runScript(DEMO, ['--seconds', '200', '--metrics-port', '0'], { timeoutMs: RUN_MS });
    const url = (await demo.line('Watch it live')).replace(/^.* /, '');
    const { page, problems } = await open(browser(), url);

    // Before the pool exists, the page shows 0 of 0.
    const used = async (): Promise<string> => (await tilesOf(page))['Used of limit'] ?? '';
    await until('the pool is shown', async () => /^\d+ \/ 10$/.test(await used()), RUN_MS, 100);
    await until(
      'every line of every chart has values',
      async () => {
        const charts = Object.values(await chartsOf(page));
        const lines = charts.flatMap((chart) => chart.lines);
        return charts.length === 6 && lines.every(({ highest }) => highest !== '–');
      },
      RUN_MS,
      500,
    );
    for (const [name, { drawn }] of Object.entries(await chartsOf(page)))
      expect(drawn, `${name} is drawn`).toBeGreaterThan(1_000);
    expect(await stateOf(page)).toBe('Live');
    expect(await page.title()).toBe('pgauge: pgauge demo');
    await demo.line(/phase=slow-credentials begins/);
    await until('the page has the log and the phases', async () => {
      const text = await page.locator('main').innerText();
      return text.includes('debug postgres pool stats') && text.includes('slow credentials');
    });

    // A reload shows everything again.
    await page.reload();
    await until('the history is there again', async () => {
      const { lines = [] } = (await chartsOf(page))['Token refresh'] ?? {};
      return lines.length === 3 && lines.every(({ highest }) => highest !== '–');
    });
    expect(await page.locator('#phases').innerText()).toContain('steady, burst, slow credentials');

    const looks: Record<string, Look> = {
      light: DESKTOP,
      dark: { ...DESKTOP, colorScheme: 'dark' },
      phone: PHONE,
      'phone-dark': { ...PHONE, colorScheme: 'dark' },
    };
    for (const [name, look] of Object.entries(looks)) {
      const { page: looked } = await open(browser(), url, look);
      await looked.locator('#now dd').first().waitFor();
      await looked.screenshot({
        path: join(PICTURES, `${name}.png`),
        fullPage: true,
        animations: 'disabled',
      });
      const overflow = await looked.evaluate(
        () => document.body.scrollWidth - document.documentElement.clientWidth,
      );
      expect(overflow, `${name} fits its width`).toBeLessThanOrEqual(0);
      await looked.close();
      await expectAccessible(browser(), url, look);
    }
    console.log(`pictures: ${PICTURES}`);

    demo.kill('SIGINT');
    expect((await demo.result).code).toBe(130);
    await until('the page says that the process is gone', async () =>
      (await stateOf(page)).startsWith('The process is gone'),
    );
    expect(await stateOf(page)).toContain('The last values are shown');
    expect((await chartsOf(page))['Token refresh']?.lines[0]?.highest).toMatch(/s$/);
    expect(problems).toEqual([]);
  },
);

import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type { Browser, Page } from 'playwright-core';
import { expect, onTestFinished } from 'vitest';

/** The settings with which a page is opened. */
export interface Look {
  readonly width: number;
  readonly height: number;
  readonly colorScheme: 'dark' | 'light';
}

export const DESKTOP: Look = { width: 1280, height: 900, colorScheme: 'light' };
export const PHONE: Look = { width: 390, height: 844, colorScheme: 'light' };

/** An open page; `problems` collects errors of its console and scripts, except those about a process that is gone. */
export async function open(browser: Browser, url: string, look: Look = DESKTOP, { bypassCSP = false } = {}) {
  const { width, height, colorScheme } = look;
  const page = await browser.newPage({
    ...{ viewport: { width, height }, colorScheme, bypassCSP },
    ...{ deviceScaleFactor: 2, timezoneId: 'UTC', locale: 'en-GB', reducedMotion: 'reduce' },
  });
  onTestFinished(() => page.close());
  const problems: string[] = [];
  page.on('pageerror', (error) => problems.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error' && !/^Failed to load resource: net::ERR_/.test(message.text()))
      problems.push(message.text());
  });
  page.on('request', (request) => {
    if (!request.url().startsWith(new URL(url).origin) && !request.url().startsWith('data:'))
      problems.push(`asks ${request.url()}`);
  });
  await page.goto(url);
  return { page, problems };
}

/** A line of a chart's table. */
export interface Line {
  readonly label: string;
  readonly now: string;
  readonly highest: string;
}

/** The charts by their headings: the lines of their tables, and how many pixels are drawn. */
export async function chartsOf(page: Page): Promise<Record<string, { lines: Line[]; drawn: number }>> {
  return await page.evaluate(() => {
    const pixels = (canvas: HTMLCanvasElement | null): number => {
      const context = canvas?.getContext('2d');
      if (!canvas || !context || canvas.width === 0) return 0;
      const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
      return data.filter((value, at) => at % 4 === 3 && value > 0).length;
    };
    return Object.fromEntries(
      [...document.querySelectorAll('figure')].map((figure) => {
        const lines = [...figure.querySelectorAll('tbody tr')].map((row) => {
          const [label = '', now = '', highest = ''] = [...row.children].map((cell) => cell.textContent);
          return { label, now, highest };
        });
        const heading = figure.querySelector('figcaption')?.textContent ?? '';
        return [heading, { lines, drawn: pixels(figure.querySelector('canvas')) }];
      }),
    );
  });
}

/** The current figures by their names. */
export async function tilesOf(page: Page): Promise<Record<string, string>> {
  return await page.evaluate(() =>
    Object.fromEntries(
      [...document.querySelectorAll('#now div')].map((tile) => [
        tile.querySelector('dt')?.textContent ?? '',
        tile.querySelector('dd')?.textContent ?? '',
      ]),
    ),
  );
}

/** The columns of a chart's plot that contain a line of the first colour, as fractions of the chart's width. */
export async function drawnColumns(page: Page, chart: string): Promise<number[]> {
  return await page.evaluate((id) => {
    const canvas = document.querySelector<HTMLCanvasElement>(`#${id} canvas`);
    const context = canvas?.getContext('2d');
    if (!canvas || !context) return [];
    const hex = getComputedStyle(document.documentElement).getPropertyValue('--c1').trim();
    const [red, green, blue] = [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
    const { data, width, height } = context.getImageData(0, 0, canvas.width, canvas.height);
    const isDrawn = (x: number): boolean =>
      Array.from({ length: height }, (_, y) => (y * width + x) * 4).some(
        (at) => data[at] === red && data[at + 1] === green && data[at + 2] === blue,
      );
    return Array.from({ length: width }, (_, x) => x)
      .filter(isDrawn)
      .map((x) => x / width);
  }, chart);
}

/** The state of the process as the page shows it. */
export async function stateOf(page: Page): Promise<string> {
  return (await page.getByRole('status').textContent()) ?? '';
}

/** Fails if axe finds an accessibility problem: contrast, names, roles, structure. */
export async function expectAccessible(browser: Browser, url: string, look: Look): Promise<void> {
  const { page } = await open(browser, url, look, { bypassCSP: true });
  await page.locator('#now dd').first().waitFor();
  const source = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
  await page.evaluate(source);
  const violations = await page.evaluate(async () => {
    const { axe } = window as unknown as {
      axe: { run(): Promise<{ violations: { id: string; help: string; nodes: { html: string }[] }[] }> };
    };
    const { violations } = await axe.run();
    return violations.map(
      ({ id, help, nodes }) => `${id}: ${help}: ${nodes.map(({ html }) => html).join(' ')}`,
    );
  });
  expect(violations).toEqual([]);
}

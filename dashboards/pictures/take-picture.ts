import type { Browser } from 'playwright-core';
import type { Job, Outcome } from './page/job.ts';

export interface Size {
  widthPx: number;
  /** Device pixels per pixel of the page. */
  scale: number;
}

/** Lets the page do the job and takes a screenshot of the whole page. */
export async function takePicture(
  browser: Browser,
  url: string,
  job: Job,
  { widthPx, scale }: Size,
): Promise<{ png: Buffer; outcome: Outcome }> {
  const page = await browser.newPage({
    viewport: { width: widthPx, height: 1000 },
    deviceScaleFactor: scale,
    timezoneId: 'UTC',
    locale: 'en-GB',
    reducedMotion: 'reduce',
  });
  try {
    const thrown: string[] = [];
    page.on('pageerror', (error) => thrown.push(error.message));
    page.on(
      'console',
      (message) => message.type() === 'error' && thrown.push(`${message.text()} ${message.location().url}`),
    );
    await page.addInitScript((given) => (window.job = given), job);
    await page.goto(url);
    await page.waitForFunction(() => window.outcome !== undefined, undefined, { timeout: 120_000 });
    // Icons are fetched after the panels are drawn.
    await page.waitForLoadState('networkidle');
    const outcome = await page.evaluate(() => window.outcome);
    if (outcome === undefined) throw new Error('the page lost its outcome');
    // Tables draw only what is in view.
    const root = page.locator('#root');
    const height = Math.ceil((await root.boundingBox())?.height ?? 0);
    await page.setViewportSize({ width: widthPx, height });
    await page.evaluate(
      () => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))),
    );
    const png = await root.screenshot({ animations: 'disabled' });
    return { png, outcome: { ...outcome, problems: [...outcome.problems, ...thrown] } };
  } finally {
    await page.close();
  }
}

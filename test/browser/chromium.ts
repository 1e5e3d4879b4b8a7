import { access, constants } from 'node:fs/promises';
import { chromium, type Browser } from 'playwright-core';
import { afterAll, beforeAll } from 'vitest';

const PATH = process.env['CHROMIUM'] ?? '/usr/bin/chromium';

/** The system's Chromium, without requests to its vendor; throws an error with the command that installs it. */
export async function openChromium(executablePath: string): Promise<Browser> {
  try {
    await access(executablePath, constants.X_OK);
  } catch {
    throw new Error(
      `no Chromium at ${executablePath}: apt-get install -y chromium, or give its path in CHROMIUM`,
    );
  }
  return await chromium.launch({
    executablePath,
    args: [
      ...['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'],
      ...['--disable-background-networking', '--disable-component-update', '--disable-sync'],
    ],
  });
}

/** Starts a browser before the calling file's tests and closes it after them. */
export function useChromium(): () => Browser {
  let browser: Browser | undefined;
  beforeAll(async () => {
    browser = await openChromium(PATH);
  });
  afterAll(async () => {
    await browser?.close();
  });
  return () => {
    if (browser === undefined) throw new Error('the browser of this file is not running yet');
    return browser;
  };
}

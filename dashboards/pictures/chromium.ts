import { access, constants } from 'node:fs/promises';
import { chromium, type Browser } from 'playwright-core';

/** Opens the system's Chromium with its background requests to Google turned off. */
export async function openChromium(executablePath: string): Promise<Browser> {
  try {
    await access(executablePath, constants.X_OK);
  } catch {
    throw new Error(
      `no Chromium at ${executablePath}: apt-get install -y chromium, or give its path with --chromium`,
    );
  }
  return chromium.launch({
    executablePath,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}

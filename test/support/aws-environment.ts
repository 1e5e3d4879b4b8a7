import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach } from 'vitest';

const CHANGED = /^AWS_|^HOME$/;

/** Gives every test an empty home, no AWS variables and only its own metadata service; restores the environment. */
export function useCleanAwsEnvironment(): { readonly home: string } {
  const place = { home: '' };
  let saved: NodeJS.ProcessEnv = {};
  beforeEach(() => {
    saved = Object.fromEntries(Object.entries(process.env).filter(([name]) => CHANGED.test(name)));
    clear();
    place.home = mkdtempSync(join(tmpdir(), 'pgauge-auth-'));
    setEnv({
      HOME: place.home,
      AWS_CONFIG_FILE: join(place.home, 'config'),
      AWS_SHARED_CREDENTIALS_FILE: join(place.home, 'credentials'),
      AWS_EC2_METADATA_DISABLED: 'true',
    });
  });
  afterEach(() => {
    clear();
    Object.assign(process.env, saved);
    rmSync(place.home, { recursive: true, force: true });
  });
  return place;
}

/** Sets variables; `undefined` unsets one. */
export function setEnv(values: Readonly<Record<string, string | undefined>>): void {
  for (const [name, value] of Object.entries(values)) {
    // eslint-disable-next-line @typescript-eslint/no-dynamic-delete -- the names are the caller's
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
}

/** Lets the SDK reach a metadata service on loopback. */
export function useImds(endpoint: string): void {
  setEnv({ AWS_EC2_METADATA_DISABLED: undefined, AWS_EC2_METADATA_SERVICE_ENDPOINT: endpoint });
}

function clear(): void {
  for (const name of Object.keys(process.env)) if (CHANGED.test(name)) setEnv({ [name]: undefined });
}

// Runs as JavaScript in a project that has installed the package.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import pg from 'pg';
import type * as pgauge from '../../src/index.js';

/** The settings of a run of this program. */
export interface UseSettings {
  /** The names that the package exports. */
  readonly exports: readonly string[];
  /** A server that accepts passwords. */
  readonly postgres: pgauge.Config;
  /** A server that accepts tokens. */
  readonly rds: pgauge.Config;
  /** Whether the packages that make tokens are installed. */
  readonly aws: boolean;
}

const NAME: string = 'pgauge';
const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined };

/** Uses the package as it was loaded, and prints the results. */
export async function use(loaded: typeof pgauge): Promise<void> {
  const settings = JSON.parse(process.env['CHECK'] ?? '') as UseSettings;
  assert.deepEqual(Object.keys(loaded).sort(), settings.exports);
  // There is only one copy, in whichever ways it is loaded, so `instanceof` works across them.
  const required = createRequire(import.meta.url)(NAME) as typeof pgauge;
  const imported = (await import(NAME)) as typeof pgauge;
  for (const { InstrumentedPool } of [required, imported])
    assert.equal(InstrumentedPool, loaded.InstrumentedPool);

  const pool = await loaded.newPool(settings.postgres, { logger: silent });
  assert.ok(pool instanceof pg.Pool);
  const { rows } = await pool.query<{ answer: number }>('select $1::int as answer', [42]);
  assert.deepEqual(rows, [{ answer: 42 }]);
  await pool.end();

  const shown = settings.aws ? await logIn(loaded, settings.rds) : await beRefused(loaded, settings.rds);
  console.log(`${settings.exports.length} exports, a query, ${shown}`);
}

async function logIn({ newPool }: typeof pgauge, rds: pgauge.Config): Promise<string> {
  const pool = await newPool(rds, { logger: silent });
  const { rows } = await pool.query<{ who: string }>('select current_user as who');
  assert.deepEqual(rows, [{ who: rds.user }]);
  await pool.end();
  return 'a login with a token';
}

async function beRefused({ newPool, AuthError }: typeof pgauge, rds: pgauge.Config): Promise<string> {
  const command = 'npm install @aws-sdk/rds-signer @aws-sdk/credential-providers';
  await assert.rejects(newPool(rds, { logger: silent }), (error) => {
    assert.ok(error instanceof AuthError);
    assert.ok(error.message.endsWith(command), error.message);
    return true;
  });
  return `told to ${command}`;
}

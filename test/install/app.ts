// The application with two pools that bundles and test runners run. Compiled to JavaScript; the caller passes pgauge.
import assert from 'node:assert/strict';
import type * as pgauge from '../../src/index.js';

/** The application's settings, from the variable CHECK. */
export interface AppSettings {
  /** A server that accepts passwords. */
  readonly postgres: pgauge.Config;
  /** A server that accepts tokens. */
  readonly rds: pgauge.Config;
  /** Whether the packages that make tokens are available. */
  readonly aws: boolean;
}

const COMMAND = 'npm install @aws-sdk/rds-signer @aws-sdk/credential-providers';
const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined };

/** Queries both servers; returns what it found, and throws if that is wrong. */
export async function app({ newPool, AuthError, PgaugeError }: typeof pgauge): Promise<string> {
  const { postgres, rds, aws } = JSON.parse(process.env['CHECK'] ?? '') as AppSettings;
  const pool = await newPool(postgres, { logger: silent });
  const { rows } = await pool.query<{ answer: number }>('select $1::int as answer', [42]);
  assert.equal(rows[0]?.answer, 42);
  await pool.end();
  const ended = await pool.query('select 1').catch((error: unknown) => error);
  assert.ok(ended instanceof PgaugeError);
  // Tools rely on these names, whatever names a bundler gives the classes.
  assert.equal(ended.name, 'PoolEndedError');
  assert.equal(pool.constructor.name, 'BoundPool');

  // The default logger is a separate package.
  process.env['PGAUGE_LOG_LEVEL'] = 'silent';
  if (!aws) {
    const refusal: unknown = await newPool(rds).catch((error: unknown) => error);
    assert.ok(refusal instanceof AuthError);
    assert.ok(refusal.message.endsWith(COMMAND), refusal.message);
    return `a query, told to ${COMMAND}`;
  }
  const withToken = await newPool(rds);
  const answer = await withToken.query<{ who: string }>('select current_user as who');
  assert.equal(answer.rows[0]?.who, rds.user);
  await withToken.end();
  return 'a query, a login with a token';
}

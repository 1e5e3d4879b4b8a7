// What a bundle or a test runner runs: an application with two pools. Compiled to JavaScript that gets pgauge from its caller.
import assert from 'node:assert/strict';
import type * as pgauge from '../../src/index.js';

/** What the application is told, in the variable CHECK. */
export interface AppSettings {
  /** A server that takes passwords. */
  readonly postgres: pgauge.Config;
  /** One that takes tokens. */
  readonly rds: pgauge.Config;
  /** Whether the packages that make tokens can be had. */
  readonly aws: boolean;
}

const COMMAND = 'npm install @aws-sdk/rds-signer @aws-sdk/credential-providers';
const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined };

/** Asks both servers; returns what that showed, and throws when it is not what it should be. */
export async function app({ newPool, AuthError, PgaugeError }: typeof pgauge): Promise<string> {
  const { postgres, rds, aws } = JSON.parse(process.env['CHECK'] ?? '') as AppSettings;
  const pool = await newPool(postgres, { logger: silent });
  const { rows } = await pool.query<{ answer: number }>('select $1::int as answer', [42]);
  assert.equal(rows[0]?.answer, 42);
  await pool.end();
  const ended = await pool.query('select 1').catch((error: unknown) => error);
  assert.ok(ended instanceof PgaugeError);
  // However a bundler calls the classes: tools decide by these names.
  assert.equal(ended.name, 'PoolEndedError');
  assert.equal(pool.constructor.name, 'BoundPool');

  // The default logger is a package of its own.
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

// Runs as JavaScript in a project that has the packages of some backends, or none of them.
import assert from 'node:assert/strict';
import { AuthError, newPool, type Config } from '../../src/index.js';

/** A login with one backend. */
export interface Login {
  readonly name: string;
  readonly config: Config;
  /** The command that installs its packages. */
  readonly command: string;
}

/** The program's settings, from the variable CHECK. */
export interface BackendsSettings {
  readonly logins: readonly Login[];
  /** Whether the packages are installed. */
  readonly installed: boolean;
}

const { logins, installed } = JSON.parse(process.env['CHECK'] ?? '') as BackendsSettings;
const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined };

async function logIn({ config }: Login): Promise<void> {
  const pool = await newPool({ ...config, sslMode: 'verify-full' }, { logger: silent });
  const { rows } = await pool.query<{ answer: number }>('select 42 as answer');
  assert.deepEqual(rows, [{ answer: 42 }]);
  await pool.end();
}

async function beRefused({ name, config, command }: Login): Promise<void> {
  const refusal: unknown = await newPool(config, { logger: silent }).catch((error: unknown) => error);
  assert.ok(refusal instanceof AuthError);
  const text = `dynamic auth (${name}): a package it needs is not installed: ${command}`;
  assert.equal(refusal.message, text);
}

for (const login of logins) await (installed ? logIn(login) : beRefused(login));
const names = logins.map(({ name }) => name).join(', ');
console.log(`${names}: ${installed ? 'a login' : 'told what to install'}`);

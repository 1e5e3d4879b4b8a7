import type { ClientBase, PoolClient } from 'pg';
import type { ConnectionParameters } from '../connection/driver.js';
import { MAX_TIMER_MS } from '../deadline.js';
import { ConfigError } from '../errors.js';
import type { AfterConnect, BeforeConnect, Logger } from '../hooks.js';
import { checkFunction, checkMs, checkWhole } from '../settings/checks.js';
import type { Config } from '../settings/config.js';
import type { PgSettings, PoolOptions } from '../settings/options.js';
import type { PgFields } from './read.js';
import { dialOf } from './stream.js';

/** The sizes and the lifetime, under the names of a Config; unset if not given. */
export function sizesOf(fields: PgFields): Pick<Config, 'maxOpenConns' | 'minConns' | 'connMaxLifetimeMs'> {
  const seconds = numberOf(fields, 'maxLifetimeSeconds');
  // In pg.Pool, 0 means no limit; in a Config, it stands for the default.
  const lifetime = seconds === 0 ? MAX_TIMER_MS : seconds && Math.round(seconds * 1_000);
  if (lifetime !== undefined && !(lifetime > 0 && lifetime <= MAX_TIMER_MS)) {
    throw new ConfigError(`maxLifetimeSeconds must be from 0 to ${Math.floor(MAX_TIMER_MS / 1_000)}`);
  }
  return {
    maxOpenConns: countOf(fields, 'max') || countOf(fields, 'poolSize'),
    minConns: countOf(fields, 'min'),
    connMaxLifetimeMs: lifetime,
  };
}

/** The limits, under the names of PoolOptions; unset if not given. */
export function limitsOf(fields: PgFields, parameters: ConnectionParameters): PoolOptions {
  const timeout = msOf(fields, 'connectionTimeoutMillis');
  return {
    acquireTimeoutMs: timeout,
    // An attempt always has a limit.
    connectTimeoutMs: timeout === 0 ? undefined : timeout,
    idleTimeoutMs: fields['idleTimeoutMillis'] === null ? 0 : msOf(fields, 'idleTimeoutMillis'),
    queryTimeoutMs: msOf({ query_timeout: parameters.query_timeout || undefined }, 'query_timeout'),
    maxUses: fields['maxUses'] === Infinity ? 0 : countOf(fields, 'maxUses'),
    keepAlive: keepAliveOf(fields),
  };
}

/** The driver's own settings, which may also be in the URL. */
export function pgSettingsOf(fields: PgFields, parameters: ConnectionParameters): PgSettings {
  const given = (name: keyof ConnectionParameters): string | undefined =>
    (parameters[name] as string | null | undefined) || undefined;
  const limit = (name: keyof ConnectionParameters): number | undefined =>
    msOf({ [name]: parameters[name] || undefined }, name);
  return setFields({
    application_name: given('application_name'),
    fallback_application_name: given('fallback_application_name'),
    options: given('options'),
    client_encoding: given('client_encoding'),
    statement_timeout: limit('statement_timeout'),
    lock_timeout: limit('lock_timeout'),
    idle_in_transaction_session_timeout: limit('idle_in_transaction_session_timeout'),
    types: fields['types'] ?? undefined,
    enableChannelBinding: fields['enableChannelBinding'] ?? undefined,
    scramMaxIterations: fields['scramMaxIterations'] ?? undefined,
  }) as PgSettings;
}

/** The functions: those that run before and after a connection attempt, make its stream, and log. */
export function hooksOf(fields: PgFields, password: unknown, base: PoolOptions): PoolOptions {
  const { onConnect, verify, log } = fields as { onConnect?: OnConnect; verify?: Verify; log?: Log };
  for (const name of ['onConnect', 'verify', 'log']) checkFunction(fields[name] ?? undefined, name);
  const after = [base.afterConnect, onConnect, verify && verified(verify)].filter((hook) => hook != null);
  return {
    beforeConnect:
      typeof password === 'function' ? asking(password as Password, base.beforeConnect) : undefined,
    afterConnect: onConnect || verify ? (client, context) => inTurn(after, client, context) : undefined,
    logger: log ? loggingTo(log) : undefined,
    dial: dialOf(fields),
  };
}

type Password = (target: object) => unknown;
type OnConnect = (client: ClientBase) => unknown;
type Verify = (client: PoolClient, done: (error?: Error) => void) => void;
type Log = (...messages: unknown[]) => void;

async function inTurn(
  hooks: readonly ((client: PoolClient, context: Parameters<AfterConnect>[1]) => unknown)[],
  ...args: Parameters<AfterConnect>
): Promise<void> {
  for (const hook of hooks) await hook(...args);
}

function asking(password: Password, before: BeforeConnect | undefined): BeforeConnect {
  return async (target, context) => {
    await before?.(target, context);
    const answer = await password(target);
    if (answer !== undefined && typeof answer !== 'string') throw new TypeError('Password must be a string');
    target.password = answer ?? '';
  };
}

function verified(verify: Verify): (client: PoolClient) => Promise<void> {
  return (client) =>
    new Promise((resolve, reject) => {
      verify(client, (error) => (error ? reject(error) : resolve()));
    });
}

function loggingTo(log: Log): Logger {
  const write = (fields: object, message: string): void => log(message, fields);
  return { debug: write, info: write, warn: write };
}

function keepAliveOf(fields: PgFields): PoolOptions['keepAlive'] {
  const delay = msOf(fields, 'keepAliveInitialDelayMillis');
  const { keepAlive } = fields;
  if (keepAlive === false || keepAlive === null) return false;
  if (keepAlive) return { initialDelayMs: delay ?? 0 };
  return delay === undefined ? undefined : { initialDelayMs: delay };
}

function msOf(fields: PgFields, name: string): number | undefined {
  const ms = fields[name] === Infinity ? 0 : numberOf(fields, name);
  checkMs(ms, name);
  return ms;
}

function countOf(fields: PgFields, name: string): number | undefined {
  const count = numberOf(fields, name);
  checkWhole(count, name);
  return count;
}

/** A number that may be given as text, as from the environment; `false`, `null` and '' mean 0. */
function numberOf(fields: PgFields, name: string): number | undefined {
  const value = fields[name];
  if (value === undefined) return undefined;
  if (value === false || value === null || value === '') return 0;
  const number = typeof value === 'string' ? Number(value) : value;
  if (typeof number !== 'number' || Number.isNaN(number)) throw new ConfigError(`${name} must be a number`);
  return number;
}

/** A copy without the fields that are not set. */
export function setFields<T extends object>(fields: T): Partial<T> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Partial<T>;
}

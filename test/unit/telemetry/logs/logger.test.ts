import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import type { Logger } from '../../../../src/hooks.js';
import { guardLogger } from '../../../../src/telemetry/logs/logger.js';
import { cleanUp, observed } from '../../../support/telemetry.js';

/** Runs a script in the root of the repository, in a new process. */
function run(script: string, env: NodeJS.ProcessEnv = {}) {
  const result = spawnSync(process.execPath, ['--import', 'tsx', '--input-type=module', '--eval', script], {
    cwd: new URL('../../../../', import.meta.url),
    encoding: 'utf8',
    env: { ...process.env, PGAUGE_LOG_LEVEL: undefined, ...env },
  });
  if (result.status !== 0) throw new Error(result.stderr);
  return result;
}

const IS_PINO_LOADED = `
  import { createRequire } from 'node:module';
  const isPinoLoaded = () =>
    Object.keys(createRequire(import.meta.url).cache).some((file) => /node_modules.pino./.test(file));
`;

const LOG_ALL = `
  import { defaultLogger } from './src/telemetry/logs/logger.ts';
  const logger = defaultLogger();
  logger.debug({ n: 1 }, 'd');
  logger.info({ n: 2 }, 'i');
  logger.warn({ n: 3 }, 'w');
`;

const messages = (stderr: string) =>
  stderr
    .trim()
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as { msg: string; n: number; name: string })
    .map(({ msg, n, name }) => [name, msg, n]);

describe('the default logger', () => {
  it('writes to stderr at level info and above', () => {
    const { stdout, stderr } = run(LOG_ALL);
    expect(stdout).toBe('');
    expect(messages(stderr)).toEqual([
      ['pgauge', 'i', 2],
      ['pgauge', 'w', 3],
    ]);
  });

  it.each([
    ['debug', ['d', 'i', 'w']],
    ['trace', ['d', 'i', 'w']],
    [' info ', ['i', 'w']],
    ['WARN', ['w']],
    ['error', []],
    ['fatal', []],
    ['silent', []],
    ['no such level', ['i', 'w']],
  ])('at the level %s writes %j', (level, expected) => {
    const { stderr } = run(LOG_ALL, { PGAUGE_LOG_LEVEL: level });
    expect(messages(stderr).map(([, message]) => message)).toEqual(expected);
  });

  it('does not load pino for a pool with its own logger', () => {
    const { stdout } = run(`${IS_PINO_LOADED}
      import { observePool } from './src/telemetry/index.ts';
      import { defaultLogger } from './src/telemetry/logs/logger.ts';
      const quiet = { debug() {}, info() {}, warn() {} };
      const identity = { host: 'h', port: 1, database: 'd', tlsMode: 'require' };
      const { observer } = observePool(identity, { logger: quiet, acquireSpan: 'auto' });
      observer.connecting().connected(1);
      observer.ended();
      const before = isPinoLoaded();
      defaultLogger();
      console.log(JSON.stringify([before, isPinoLoaded()]));
    `);
    expect(JSON.parse(stdout)).toEqual([false, true]);
  });

  it.each([
    ['warn', [false, false, true]],
    ['silent', [false, false, false]],
  ])('loads pino for the first record at the level %s: %j', (level, expected) => {
    const { stdout } = run(
      `${IS_PINO_LOADED}
      import { defaultLogger } from './src/telemetry/logs/logger.ts';
      const logger = defaultLogger();
      const loaded = [isPinoLoaded()];
      logger.debug({}, 'd');
      logger.info({}, 'i');
      loaded.push(isPinoLoaded());
      logger.warn({}, 'w');
      loaded.push(isPinoLoaded());
      console.log(JSON.stringify(loaded));
    `,
      { PGAUGE_LOG_LEVEL: level },
    );
    expect(JSON.parse(stdout)).toEqual(expected);
  });
});

describe('guardLogger', () => {
  it('calls the methods of the logger with the right this', () => {
    class Kept implements Logger {
      readonly seen: string[] = [];
      debug(_fields: object, message: string) {
        this.seen.push(message);
      }
      info = this.debug;
      warn = this.debug;
    }
    const kept = new Kept();
    const guarded = guardLogger(kept);
    guarded.debug({}, 'd');
    guarded.info({}, 'i');
    guarded.warn({}, 'w');
    expect(kept.seen).toEqual(['d', 'i', 'w']);
  });

  it.each<[string, () => unknown]>([
    [
      'throws',
      () => {
        throw new Error('broken');
      },
    ],
    ['rejects', () => Promise.reject(new Error('broken'))],
  ])('protects the pool from a logger that %s', async (_title, log) => {
    const { observer } = observed({}, { logger: { debug: log, info: log, warn: log } });
    try {
      expect(() => {
        observer.closed('network', 1);
        observer.connecting(undefined).failed(1, new Error('x'), 'tcp', undefined);
        observer.leakSuspected(1, 'stack');
        observer.ended();
      }).not.toThrow();
      // An unhandled rejection would fail the run.
      await new Promise((resolve) => setImmediate(resolve));
    } finally {
      cleanUp();
    }
  });

  it('does not throw for a logger without methods', () => {
    expect(() => guardLogger({} as Logger).warn({}, 'w')).not.toThrow();
  });
});

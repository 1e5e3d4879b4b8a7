import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { API_PAGE, apiPage } from '../../../scripts/api-docs/page.js';
import * as pgauge from '../../../src/index.js';

const PAGE = readFileSync(API_PAGE, 'utf8');

/** The description of each member in a type's list. */
function members(type: string): Map<string, string> {
  const section = PAGE.split(/^##+ /m).find((text) => text.startsWith(`${type}\n`) && text.includes('\n- `'));
  const items = (section ?? '').matchAll(/^- `(\w+)\??`(?: \(.*?\))?: (.*)$/gm);
  return new Map([...items].map(([, name = '', says = '']) => [name, says]));
}

const OPTIONS = members('PoolOptions');
const CONFIG = members('Config');
const CONSTANTS = members('Constants');

/** The prose in which a reader finds the value of a constant. */
const TOLD: Record<string, string | undefined> = {
  DEFAULT_ACQUIRE_SPAN: OPTIONS.get('acquireSpan'),
  DEFAULT_ACQUIRE_TIMEOUT_MS: OPTIONS.get('acquireTimeoutMs'),
  DEFAULT_CONNECT_RETRY_MS: OPTIONS.get('connectRetryMs'),
  DEFAULT_CONNECT_TIMEOUT_MS: OPTIONS.get('connectTimeoutMs'),
  DEFAULT_CONN_MAX_LIFETIME_JITTER_RATIO: OPTIONS.get('connMaxLifetimeJitterMs'),
  DEFAULT_CONN_MAX_LIFETIME_MS: CONFIG.get('connMaxLifetimeMs'),
  DEFAULT_END_TIMEOUT_MS: OPTIONS.get('endTimeoutMs'),
  DEFAULT_HEALTH_CHECK_PERIOD_MS: OPTIONS.get('healthCheckPeriodMs'),
  DEFAULT_IDLE_TIMEOUT_MS: OPTIONS.get('idleTimeoutMs'),
  DEFAULT_KEEP_ALIVE_DELAY_MS: OPTIONS.get('keepAlive'),
  DEFAULT_LEAK_DETECTION_MS: OPTIONS.get('leakDetectionMs'),
  DEFAULT_MAX_PENDING: OPTIONS.get('maxPending'),
  DEFAULT_MAX_OPEN_CONNS: CONFIG.get('maxOpenConns'),
  DEFAULT_MAX_USES: OPTIONS.get('maxUses'),
  DEFAULT_MIN_CONNS: CONFIG.get('minConns'),
  DEFAULT_POOL_STATS_INTERVAL_MS: members('PoolStatsLoggerOptions').get('intervalMs'),
  DEFAULT_QUERY_SPANS: members('QueryTelemetry').get('spans'),
  DEFAULT_QUERY_TEXT: members('QueryTelemetry').get('text'),
  DEFAULT_QUERY_TIMEOUT_MS: OPTIONS.get('queryTimeoutMs'),
  DEFAULT_SLOW_QUERY_MS: OPTIONS.get('slowQueryMs'),
  DEFAULT_SSL_MODE: CONFIG.get('sslMode'),
};

/** A pattern for a default as prose writes it. */
function spoken(name: string, value: unknown): RegExp {
  if (value === 0) return /: none\b|\bdefault (off|0)\b/;
  if (name.endsWith('_RATIO')) return new RegExp(`\\b${Number(value) * 100} %`);
  return new RegExp(`\\b${String(value).replace(/(?<=\d)(?=(\d{3})+$)/g, ' ')}\\b`);
}

describe('the API reference', () => {
  it('matches the doc comments, and every public symbol has one', { timeout: 300_000 }, async () => {
    const { text, faults } = await apiPage();
    expect(faults).toEqual([]);
    expect(PAGE).toBe(text);
  });

  it('states the default of every setting', () => {
    const nested = ['SslOptions', 'PgSettings', 'QueryTelemetry'].flatMap((type) => [...members(type)]);
    const silent = [...OPTIONS, ...CONFIG, ...nested].filter(
      ([, says]) => !/\bdefault\b|\bunset\b|\bRequired\b/i.test(says),
    );
    expect(nested.length).toBeGreaterThan(20);
    expect(OPTIONS.size + CONFIG.size).toBeGreaterThan(30);
    expect(silent).toEqual([]);
  });

  it('states for every duration that it is in milliseconds', () => {
    const times = [...OPTIONS, ...CONFIG, ...CONSTANTS].filter(([name]) => /(Ms|_MS)$/.test(name));
    expect(times.length).toBeGreaterThan(15);
    expect(times.filter(([, says]) => !/\bmilliseconds\b/i.test(says))).toEqual([]);
  });

  it('states for every statistic whether it is current or cumulative', () => {
    const stats = [...members('PoolStat')];
    expect(stats.length).toBeGreaterThan(10);
    expect(stats.filter(([, says]) => !/^(Current|Cumulative): /.test(says))).toEqual([]);
  });

  it('states the same defaults as the code', () => {
    const defaults = Object.entries(pgauge).filter(([name]) => name.startsWith('DEFAULT_'));
    expect(defaults.map(([name]) => name).sort()).toEqual(Object.keys(TOLD).sort());
    expect(defaults.filter(([name, value]) => !spoken(name, value).test(TOLD[name] ?? ''))).toEqual([]);
  });
});

describe('the check of the doc comments', () => {
  let folder = '';
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'pgauge-api-test-'));
    writeFileSync(
      join(folder, 'tsconfig.json'),
      '{ "files": ["index.ts"], "compilerOptions": { "types": [] } }',
    );
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it('finds symbols without a comment', { timeout: 300_000 }, async () => {
    const source = `
      export const SILENT = 1;
      /** Said. */
      export const SAID = 1;
      /** Said. */
      export interface Half {
        /** Said. */
        a: string;
        b: string;
      }
      export function silent(): void {}
    `;
    writeFileSync(join(folder, 'index.ts'), source);
    const { faults } = await apiPage(join(folder, 'index.ts'), join(folder, 'tsconfig.json'));
    const names = faults.map((fault) => /^[\w.]+/.exec(fault)?.[0]);
    expect(names.sort()).toEqual(['Half.b', 'SILENT', 'silent']);
    expect(faults.every((fault) => fault.includes('does not have any documentation'))).toBe(true);
  });
});

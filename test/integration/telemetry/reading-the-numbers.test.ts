import { execFile } from 'node:child_process';
import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type Server } from 'node:http';
import { type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { LOG } from '../../../src/telemetry/logs/records.js';
import { ATTR, METRIC, SPAN } from '../../../src/telemetry/names.js';
import { CLOSE_REASONS } from '../../../src/observer.js';
import { installBuilt } from '../../support/packages/built-package.js';
import { usePostgres } from '../../support/servers.js';

const ROOT = join(import.meta.dirname, '../../..');
const PAGE = readFileSync(join(ROOT, 'docs/reading-the-numbers.md'), 'utf8');
const run = promisify(execFile);
const server = usePostgres();

interface ExportedMetric {
  readonly name: string;
  readonly histogram?: {
    readonly dataPoints: readonly { readonly attributes: readonly { readonly key: string }[] }[];
  };
}
interface Export {
  readonly resourceMetrics: readonly {
    readonly resource: { readonly attributes: readonly { readonly key: string }[] };
    readonly scopeMetrics: readonly {
      readonly scope: { readonly name: string };
      readonly metrics: readonly ExportedMetric[];
    }[];
  }[];
}

let folder: string;
let collector: Server;
const exported: Export[] = [];

beforeAll(async () => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'pgauge-guide-')));
  await installBuilt(folder, { types: false });
  for (const name of readdirSync(join(ROOT, 'node_modules')).filter((entry) => !entry.startsWith('.')))
    symlinkSync(join(ROOT, 'node_modules', name), join(folder, 'node_modules', name));
  collector = createServer((request, response) => {
    const pieces: Buffer[] = [];
    request.on('data', (piece: Buffer) => pieces.push(piece));
    request.on('end', () => {
      exported.push(JSON.parse(Buffer.concat(pieces).toString()) as Export);
      response.end('{}');
    });
  });
  await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve));
});
afterAll(() => {
  collector.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Writes each code block that begins with its file name to that file. */
function writeBlocks(): string[] {
  const blocks = [...PAGE.matchAll(/```js\n\/\/ (\S+)\n([^]*?)```/g)];
  for (const [, name = '', code = ''] of blocks) writeFileSync(join(folder, name), code);
  return blocks.map(([, name = '']) => name);
}

describe('the recipe for pgauge beside instrumentation-pg', () => {
  test('exports each pool metric once, and query durations without db.operation.name', async () => {
    expect(writeBlocks()).toEqual(['telemetry.mjs', 'app.mjs']);
    const { host, port, user, password, database } = server();
    const { port: collectorPort } = collector.address() as AddressInfo;
    await run(process.execPath, ['--import', './telemetry.mjs', 'app.mjs'], {
      cwd: folder,
      timeout: 100_000,
      env: {
        PATH: process.env['PATH'],
        HOME: process.env['HOME'],
        OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${collectorPort}`,
        DB_HOST: host,
        DB_PORT: String(port),
        DB_USER: user,
        DB_PASSWORD: password,
        DB_NAME: database,
        DB_SSLMODE: 'disable',
      },
    });
    expect(exported).toHaveLength(1);
    const [{ resource, scopeMetrics } = { resource: { attributes: [] }, scopeMetrics: [] }] =
      exported[0]?.resourceMetrics ?? [];
    expect(resource.attributes.map(({ key }) => key)).toContain('service.instance.id');
    const found = scopeMetrics.flatMap(({ scope, metrics }) =>
      metrics.map((metric) => ({ scope: scope.name, ...metric })),
    );
    const scopesOf = (name: string) =>
      found.filter((metric) => metric.name === name).map(({ scope }) => scope);
    expect(scopesOf(METRIC.connectionCount.name)).toEqual(['pgauge']);
    expect(scopesOf(METRIC.waitTime.name)).toEqual(['pgauge']);
    const durations = found.find(({ name }) => name === 'db.client.operation.duration');
    expect(durations?.scope).toBe('@opentelemetry/instrumentation-pg');
    const keys = durations?.histogram?.dataPoints.map(({ attributes }) => attributes.map(({ key }) => key));
    expect(keys).toHaveLength(1);
    expect(keys?.[0]).toContain('db.namespace');
    expect(keys?.[0]).not.toContain('db.operation.name');
  });
});

describe('docs on reading the numbers', () => {
  const quoted = new Set([...PAGE.matchAll(/`([^`\n]+)`/g)].map(([, text = '']) => text));

  test('mention every metric', () => {
    const names = Object.values(METRIC).map(({ name }) => name);
    expect(names.filter((name) => !quoted.has(name))).toEqual([]);
  });

  test('mention every close reason', () => {
    expect(CLOSE_REASONS.filter((reason) => !quoted.has(reason))).toEqual([]);
  });

  test('name no metric, attribute, span or record that does not exist', () => {
    const known = new Set<string>([
      ...Object.values(METRIC).map(({ name }) => name),
      ...Object.values(ATTR),
      ...Object.values(SPAN),
      ...Object.values(LOG).map(({ message }) => message),
      // From instrumentation-pg.
      'db.client.operation.duration',
      'db.operation.name',
    ]);
    const named = [...quoted].filter((text) => /^(pgauge\.|db\.|postgres )/.test(text));
    expect(named.filter((text) => !known.has(text))).toEqual([]);
  });
});

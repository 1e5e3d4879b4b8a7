import { readFileSync } from 'node:fs';
import { cpus, loadavg, totalmem, type } from 'node:os';
import { join } from 'node:path';

const MODULES = join(import.meta.dirname, '../node_modules');
const MEASURED = [
  'pg',
  '@opentelemetry/api',
  '@opentelemetry/sdk-metrics',
  '@opentelemetry/sdk-trace-base',
  '@opentelemetry/instrumentation-pg',
  '@aws-sdk/rds-signer',
];

/** The date, the machine and the versions of a measurement. */
export function circumstances(serverVersion: string): string[] {
  const [cpu] = cpus();
  return [
    `Measured on ${new Date().toISOString().slice(0, 10)}, ${cpus().length} × ${cpu?.model.trim() ?? 'unknown CPU'}, ${Math.round(totalmem() / 2 ** 30)} GiB, ${type()}`,
    `Node ${process.versions.node}, PostgreSQL ${serverVersion} on the same machine`,
    MEASURED.map((name) => `${name} ${versionOf(name)}`).join(', '),
  ];
}

/** The load of the machine, including this process: do not publish figures from an overloaded machine. */
export function loadNote(when: string): string {
  const [minute = 0] = loadavg();
  return `Load of the machine ${when}: ${minute.toFixed(1)} on ${cpus().length} CPUs over a minute`;
}

function versionOf(name: string): string {
  return (JSON.parse(readFileSync(join(MODULES, name, 'package.json'), 'utf8')) as { version: string })
    .version;
}

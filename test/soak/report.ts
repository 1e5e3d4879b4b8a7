import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { arch, cpus, loadavg, platform } from 'node:os';
import * as prettier from 'prettier';
import { FEW, MAX, WORKERS, type Findings, type Kind } from './run.js';

const PAGE = new URL('../../docs/reliability.md', import.meta.url);
const BEGIN = '<!-- soak:begin -->';
const END = '<!-- soak:end -->';

/** One line of the report; `held` is whether the requirement was met. */
export interface Row {
  readonly what: string;
  readonly found: string;
  readonly must?: string;
  readonly held?: boolean;
}

/** The findings, one row each. */
export function rows(findings: Findings): Row[] {
  const { tally, writes, heap, leakedResources } = findings;
  const { joined } = findings;
  const growth = heap.last - heap.first;
  return [
    plain('Duration', `${Math.round(findings.seconds)} s`),
    plain('Operations', grouped(tally.operations)),
    plain('Connections opened', grouped(findings.connections)),
    ...(joined === undefined
      ? []
      : [
          {
            what: 'Queries that joined others on a connection',
            found: grouped(joined),
            must: 'some',
            held: joined > 0,
          },
        ]),
    plain(
      'Faults injected',
      grouped([...findings.faults.values()].reduce((sum, { count }) => sum + count, 0)),
    ),
    zero('Unsettled promises', tally.unsettled.length, tally.unsettled),
    zero('Leaked sockets (handles of the process)', findings.leakedSockets),
    zero('Leaked sessions (`pg_stat_activity`)', findings.leakedSessions),
    zero(
      'Leaked timers and other resources (`process.getActiveResourcesInfo()`)',
      leakedResources.length,
      leakedResources,
    ),
    zero('Times the pool was over its maximum', tally.overMaximum),
    zero('Wrong results', tally.wrong, tally.told),
    plain('Rows written, acknowledged', grouped(writes.committed)),
    plain(
      'Rows whose outcome the client cannot know, and of these written',
      `${grouped(writes.unknown)}, ${grouped(writes.unknownWritten)}`,
    ),
    zero('Acknowledged rows lost', writes.lost),
    zero('Rows written twice', writes.duplicated),
    zero('Rows written that were rolled back or abandoned', writes.unexpected),
    zero('Errors that no fault explains', sum(tally.unexplained), [...tally.unexplained.keys()]),
    { what: '`end()` resolved', found: findings.ended ? 'yes' : 'no', must: 'yes', held: findings.ended },
    plain(
      'Heap in use after garbage collection, first stable minute and last',
      `${megabytes(heap.first)}, ${megabytes(heap.last)} (${growth < 0 ? '' : '+'}${megabytes(growth)})`,
    ),
    plain('Longest event-loop stall', `${Math.round(findings.longestStallMs)} ms`),
    {
      what: `Logins at a time after a restart, \`maxConnecting: ${FEW}\``,
      found: String(findings.loginsFew),
      must: `at most ${FEW}`,
      held: findings.loginsFew <= FEW,
    },
    plain(
      'Logins at a time after a restart, `maxConnecting` unset, maximum 20',
      String(findings.loginsUnlimited),
    ),
  ];
}

/** The report as Markdown. */
export function markdown(findings: Findings, seed: number, { hosts, pipelining }: Kind): string {
  const lines = rows(findings).map(({ what, found, must = '' }) => `| ${what} | ${found} | ${must} |`);
  const faults = [...findings.faults].sort(([a], [b]) => a.localeCompare(b));
  const errors = [...findings.tally.errors].sort(([, a], [, b]) => b - a);
  const [cpu] = cpus();
  const flags = [
    ...(hosts > 1 ? [`--hosts ${hosts}`] : []),
    ...(pipelining > 0 ? [`--pipelining ${pipelining}`] : []),
  ];
  const kind = [
    ...(hosts > 1 ? ['with two hosts'] : []),
    ...(pipelining > 0 ? ['whose queries share connections'] : []),
  ];
  return [
    `\`npm run soak -- --minutes ${+(findings.seconds / 60).toFixed(1)} --seed ${[seed, ...flags].join(' ')}\`: ${WORKERS} workers on a pool of ${[MAX, ...kind].join(' ')}, over TLS with IAM tokens, against \`local-rds\`. Node ${process.version}, ${platform()} ${arch()}, ${cpus().length} × ${cpu?.model.trim() ?? 'unknown'}, load average ${Math.round(loadavg()[2] ?? 0)} in its last quarter of an hour.`,
    '',
    '| Measure | Found | Must be |',
    '| --- | --- | --- |',
    ...lines,
    '',
    '| Fault | Injected | Longest until the next success |',
    '| --- | --- | --- |',
    ...faults.map(([kind, { count, recoveryMs }]) => `| ${kind} | ${count} | ${Math.round(recoveryMs)} ms |`),
    '',
    '| Error seen by the load | Times |',
    '| --- | --- |',
    ...errors.map(([name, count]) => `| ${name} | ${grouped(count)} |`),
  ].join('\n');
}

/** Writes the report into its place in docs/reliability.md. */
export async function writeReport(report: string): Promise<void> {
  const section = `${BEGIN}\n\n${report}\n\n${END}`;
  const page = existsSync(PAGE) ? readFileSync(PAGE, 'utf8') : '# Reliability\n';
  const [from, to] = [page.indexOf(BEGIN), page.indexOf(END)];
  const filled =
    from >= 0 && to > from
      ? page.slice(0, from) + section + page.slice(to + END.length)
      : `${page}\n## Soak\n\n${section}\n`;
  const options = await prettier.resolveConfig(PAGE);
  writeFileSync(PAGE, await prettier.format(filled, { ...options, parser: 'markdown' }));
}

function plain(what: string, found: string): Row {
  return { what, found };
}

function zero(what: string, count: number, which: readonly string[] = []): Row {
  const named = count > 0 && which.length > 0 ? ` (${which.join('; ')})` : '';
  return { what, found: `${grouped(count)}${named}`, must: '0', held: count === 0 };
}

function sum(counts: ReadonlyMap<string, number>): number {
  return [...counts.values()].reduce((total, count) => total + count, 0);
}

function grouped(count: number): string {
  return count.toLocaleString('en-GB').replaceAll(',', ' ');
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}

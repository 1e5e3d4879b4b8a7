import type { Results } from './results.js';
import { summaryTable, type SummaryRow } from './report.js';

const BEGIN = '<!-- bench: begin -->';
const END = '<!-- bench: end -->';

const ROWS: readonly SummaryRow[] = [
  {
    title: 'a query, 10 at a time: CPU, µs',
    scenario: 'query',
    variant: { concurrency: 10, max: 10 },
    measure: 'cpuUs',
  },
  {
    title: 'a query, 100 at a time on 10 connections: CPU, µs',
    scenario: 'query',
    variant: { concurrency: 100, max: 10 },
    measure: 'cpuUs',
  },
  {
    title: 'a query with `pipelining`, 100 at a time on 10 connections: CPU, µs',
    scenario: 'pipelined',
    variant: { concurrency: 100, max: 10 },
    measure: 'cpuUs',
    contenders: { pgauge: 'pgauge pipelining', 'pgauge metrics': 'pgauge pipelining metrics' },
  },
  {
    title: 'a query with `queryTelemetry`, 10 at a time: CPU, µs',
    scenario: 'query-telemetry',
    variant: { concurrency: 10, max: 10 },
    measure: 'cpuUs',
    contenders: { pgauge: undefined, 'pgauge metrics': 'pgauge metrics queries' },
  },
  { title: 'acquire and release: CPU, ns', scenario: 'checkout', variant: { max: 1 }, measure: 'ns' },
  {
    title: 'acquire and release: bytes allocated',
    scenario: 'allocation',
    variant: { max: 1 },
    measure: 'bytes',
  },
  {
    title: '100 TLS connections at once¹: wall, ms',
    scenario: 'storm',
    contenders: { raw: 'raw scram' },
    variant: { connections: 100 },
    measure: 'wallMs',
  },
  {
    title: '500 TLS connections at once¹: CPU, ms',
    scenario: 'storm',
    contenders: { raw: 'raw scram' },
    variant: { connections: 500 },
    measure: 'cpuMs',
  },
  {
    title: '500 TLS connections at once, `pg.Pool` in clear text²: CPU, ms',
    scenario: 'storm',
    variant: { connections: 500 },
    measure: 'cpuMs',
    contenders: { raw: 'raw clear-text' },
  },
  {
    title: '500 connections from cold, instance role: metadata calls',
    scenario: 'metadata',
    variant: { connections: 500 },
    measure: 'calls',
  },
  {
    title: 'from cold to the first answer¹: wall, ms',
    scenario: 'first-answer',
    contenders: { raw: 'raw scram' },
    variant: {},
    measure: 'wallMs',
  },
  {
    title: 'heap of an idle connection: bytes',
    scenario: 'heap',
    variant: { connections: 500 },
    measure: 'bytes',
  },
];

/** The README with an updated table; throws if it has no place for one. */
export function withTable(readme: string, results: Results, circumstances: readonly string[]): string {
  const [start, end] = [readme.indexOf(BEGIN), readme.indexOf(END)];
  if (start < 0 || end < start) throw new Error(`the README has no ${BEGIN} … ${END}`);
  const text = [
    BEGIN,
    '',
    ...summaryTable(results, ROWS),
    '',
    '¹ `pg.Pool` with one root certificate and a password by SCRAM, all others with the RDS bundle and a fresh token for every connection.',
    '',
    '² The same, but `pg.Pool` sends its password in clear text within TLS, as all others send their tokens.',
    '',
    `${circumstances.slice(0, 2).join('; ')}.`,
    '',
  ];
  return readme.slice(0, start) + text.join('\n') + '\n' + readme.slice(end);
}

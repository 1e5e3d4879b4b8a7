import { FAULTS, type FaultName } from './faults.js';
import type { Cost } from './measure.js';
import type { Outcome } from './run.js';

/** A bound that holds on a machine loaded by six contenders; the table shows the figures. */
const FIRST_WRITE_WITHIN_MS = 15_000;
/** Three hosts, six connections, and a pause that doubles from 100 ms. */
const MOST_DIALS = 60;

/** The promises of pgauge that were broken, one per line. */
export function broken(outcomes: readonly Outcome[]): string[] {
  return outcomes
    .filter(({ id }) => id.startsWith('pgauge/'))
    .flatMap(({ id, costs, writes, totals }) => [
      ...(writes.acked > 0 ? [] : [`${id}: no write was acknowledged`]),
      ...writes.lost.map((row) => `${id}: the acknowledged write ${row} is lost`),
      ...writes.twice.map((row) => `${id}: the write ${row} was sent twice`),
      ...(totals['left'] === 0 ? [] : [`${id}: ${totals['left']} connections are left`]),
      ...((totals['most'] ?? Infinity) <= 6 ? [] : [`${id}: more connections than the maximum`]),
      ...costs.flatMap(({ fault, cost }) => brokenIn(`${id}, ${fault}`, cost)),
    ]);
}

function brokenIn(where: string, { noConnection, failed, firstWriteMs, mostDials }: Cost): string[] {
  return [
    ...[...noConnection].map(([code, count]) => `${where}: ${count} acquires failed with ${code}`),
    ...[...failed.keys()]
      .filter((code) => !CODE.test(code))
      .map((code) => `${where}: a query failed without a code: ${code}`),
    ...(firstWriteMs <= FIRST_WRITE_WITHIN_MS ? [] : [`${where}: the first write took ${firstWriteMs} ms`]),
    ...(mostDials <= MOST_DIALS ? [] : [`${where}: ${mostDials} dials in one second`]),
  ];
}

/** A SQLSTATE, a code of the system or of the library, or the driver's only error without a code. */
const CODE = /^(?:[0-9A-Z]{5}|E[A-Z_]+|Connection_terminated_unexpectedly)$/;

/** The table for readers: a line for each fault and contender. */
export function markdown(outcomes: readonly Outcome[], date: string): string {
  const faults = [...new Set(outcomes.flatMap(({ costs }) => costs.map(({ fault }) => fault)))];
  const times = outcomes[0]?.costs.filter(({ fault }) => fault === faults[0]).length ?? 0;
  return [
    `Measured on ${date}; each fault ${times === 1 ? 'once' : `${times} times`}, all contenders at once.`,
    ...faults.map((fault) => section(fault, outcomes)),
    'Writes over the whole run:',
    '',
    '| contender | acknowledged | of these lost | written twice |',
    '| --- | --- | --- | --- |',
    ...outcomes.map(
      ({ id, writes }) => `| ${id} | ${writes.acked} | ${writes.lost.length} | ${writes.twice.length} |`,
    ),
    '',
  ].join('\n');
}

function section(fault: FaultName, outcomes: readonly Outcome[]): string {
  return [
    '',
    `### ${FAULTS[fault].title}`,
    '',
    '| contender | acquires failed | queries failed | first write, ms | most dials in 1 s |',
    '| --- | --- | --- | --- | --- |',
    ...outcomes.map(({ id, costs }) => {
      const own = costs.filter((one) => one.fault === fault).map(({ cost }) => cost);
      const firsts = own.map(({ firstWriteMs }) => firstWriteMs).sort((a, b) => a - b);
      const cells = [
        id,
        count(own.map(({ noConnection }) => noConnection)),
        count(own.map(({ failed }) => failed)),
        `${firsts[Math.floor(firsts.length / 2)]}, ${firsts.at(-1)}`,
        Math.max(...own.map(({ mostDials }) => mostDials)),
      ];
      return `| ${cells.join(' | ')} |`;
    }),
    '',
  ].join('\n');
}

/** The counts of all runs added up, the most frequent codes first. */
function count(maps: readonly ReadonlyMap<string, number>[]): string {
  const sums = new Map<string, number>();
  for (const [code, n] of maps.flatMap((map) => [...map])) sums.set(code, (sums.get(code) ?? 0) + n);
  const sorted = [...sums].sort(([, a], [, b]) => b - a).slice(0, 3);
  const all = [...sums.values()].reduce((sum, n) => sum + n, 0);
  return all === 0 ? '0' : `${all}: ${sorted.map(([code, n]) => `${n} ${code}`).join(', ')}`;
}

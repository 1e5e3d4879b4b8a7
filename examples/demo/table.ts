import { countOf, quantile, type Buckets } from '../../src/watch/quantiles.js';
import { formatCount, formatMs, formatSeconds } from '../../src/watch/terminal/format.js';
import { bar, crop, row, states } from '../../src/watch/terminal/rows.js';
import type { Style } from '../../src/watch/terminal/style.js';
import { formatCounts, sumOf } from './format.js';
import { PHASES } from './phases.js';
import type { PhaseResult } from './run-phase.js';
import type { View } from './view.js';

const MAX_WIDTH = 100;
const TIME = 8;
const NAME = 16;

/** The lines of the live table; none exceeds `width` if that is 60 or more. */
export function tableLines(view: View, width: number, style: Style): string[] {
  const wide = Math.min(width, MAX_WIDTH);
  const left = `${Math.ceil(Math.max(0, view.leftMs) / 1_000)} s left`;
  const title = `pgauge demo   phase ${view.phaseNumber} of ${PHASES.length}: ${view.phase.name}`;
  const errors = sumOf(view.errors);
  const errorText = `${formatCount(errors)}   ${formatCounts(view.errors)}`.trimEnd();
  return [
    style.bold(title + left.padStart(Math.max(left.length + 1, wide - title.length))),
    style.dim(crop(view.phase.about, wide)),
    '',
    crop(
      row('token refresh', times(view.tokens, 50, 95, 99), `of ${formatCount(countOf(view.tokens))}`),
      wide,
    ),
    crop(row('acquire', times(view.waits, 50, 95, 99), `of ${formatCount(countOf(view.waits))}`), wide),
    crop(row('connections', states(view)), wide),
    crop(row('', `[${bar(view)}]  limit ${view.limit}`), wide),
    crop(row('pending', String(view.pending)), wide),
    crop(row('queries', `${formatCount(Math.round(view.queriesPerSecond))}/s`), wide),
    errors > 0 ? style.red(crop(row('errors', errorText), wide)) : row('errors', errorText),
    '',
    ...PHASES.map((phase, i) => {
      const result = view.results[i];
      if (result) return finished(result, wide, style);
      const current = phase.name === view.phase.name;
      return current ? style.bold(`> ${phase.name}`) : style.dim(`  ${phase.name}`);
    }),
    '',
    style.dim(crop(`Figures are of this phase so far. ${view.metricsUrl}   Ctrl-C ends`, wide)),
  ];
}

function times(buckets: Buckets, ...percents: number[]): string {
  return percents
    .map((percent) => `p${percent} ${formatSeconds(quantile(buckets, percent / 100)).padStart(TIME)}`)
    .join('   ');
}

function finished(result: PhaseResult, wide: number, style: Style): string {
  const { phase, queries, errors, recoveredMs, faults } = result;
  const figures = `${formatCount(queries).padStart(7)} queries   ${formatCount(sumOf(errors)).padStart(4)} errors`;
  const end =
    faults.length === 0 ? `recovered in ${formatMs(recoveredMs)}` : `NOT recovered: ${faults.join('; ')}`;
  const line = crop(`${faults.length === 0 ? '*' : '!'} ${phase.name.padEnd(NAME)}${figures}   ${end}`, wide);
  return faults.length === 0 ? style.green(line) : style.red(line);
}

import { outcomes } from './goals.js';
import type { Results } from './results.js';
import type { Measure, Series } from './scenario.js';
import { seriesOf, summarise, type Spread, type Summary } from './statistics.js';

type Measured = Results[number];

/** The results page, in Markdown. */
export function resultsPage(results: Results, circumstances: readonly string[]): string {
  return [
    '# What pgauge costs, beside raw `pg`',
    '',
    'Written by `npm run bench`. Each contender runs in a process of its own, on the built package; in every round all',
    'contenders of a table take turns, and ratios are taken within a round. A figure is the median, the figures in',
    'parentheses are the quartiles. `… again` is the first contender once more: how far its ratio strays from 1 is the noise,',
    'whose quartiles stand beside each goal.',
    '',
    ...circumstances.map((line) => `- ${line}`),
    '',
    '## Goals',
    '',
    ...goalsTable(results),
    '',
    ...results.flatMap((measured) => [
      `## ${measured.scenario.title}`,
      '',
      measured.scenario.about,
      '',
      ...scenarioTable(measured),
      '',
    ]),
  ].join('\n');
}

/** One scenario's table. */
export function scenarioTable({ scenario, series }: Measured): string[] {
  const [first = ''] = scenario.contenders;
  const named = scenario.variants.some((variant) => Object.keys(variant).length > 0);
  const compared = scenario.contenders.length > 1;
  const head = [
    ...(named ? [''] : []),
    'contender',
    ...scenario.measures.flatMap((measure) =>
      compared && measure.compared !== false ? [measure.title, `× ${first}`] : [measure.title],
    ),
  ];
  const rows = series.map((one) => {
    const base = series.find(({ contender, variant }) => contender === first && variant === one.variant);
    return [
      ...(named ? [variantTitle(one)] : []),
      one.contender,
      ...scenario.measures.flatMap((measure) => cells(one, base, measure, compared)),
    ];
  });
  return table(head, rows);
}

function cells(one: Series, base: Series | undefined, measure: Measure, compared: boolean): string[] {
  const { key } = measure;
  const summary: Summary | undefined = summarise(one.samples, base?.samples ?? [], key);
  const value = summary === undefined ? '' : spread(summary.value, figure);
  if (!compared || measure.compared === false) return [value];
  return [value, summary?.ratio === undefined ? '' : spread(summary.ratio, (ratio) => ratio.toFixed(2))];
}

function goalsTable(results: Results): string[] {
  return table(
    ['goal', 'at most', 'measured', 'noise', ''],
    outcomes(results).map(({ goal, measured, floor, noise, reached }) => [
      goal.what,
      `${figure(goal.atMost)} ${goal.unit}${floor === undefined ? '' : `, or the floor: ${floor.toFixed(2)}`}`,
      goal.of === 'ratio' || goal.of === 'share' ? measured.toFixed(2) : figure(measured),
      noise === undefined ? '' : spread(noise, (ratio) => ratio.toFixed(2)),
      reached ? 'reached' : '**not reached**',
    ]),
  );
}

/** The README's table: a few measurements side by side. */
export function summaryTable(results: Results, rows: readonly SummaryRow[]): string[] {
  const value = ({ scenario, variant, measure, contenders }: SummaryRow, column: Column): string => {
    const contender = contenders === undefined || !(column in contenders) ? column : contenders[column];
    if (contender === undefined) return '';
    const found = results.find((measured) => measured.scenario.name === scenario);
    const series = found && seriesOf(found.series, contender, variant);
    const summary = series && summarise(series.samples, series.samples, measure);
    return summary === undefined ? '' : figure(summary.value.middle);
  };
  return table(
    [
      '',
      '`pg.Pool`',
      'pgauge, no SDK',
      'pgauge, SDK metrics',
      '`pg` + instrumentation-pg, metrics',
      '`pg`, one Signer',
    ],
    rows.map((row) => [row.title, ...COLUMNS.map((column) => value(row, column))]),
  );
}

/** The contenders of the README's columns. */
const COLUMNS = ['raw', 'pgauge', 'pgauge metrics', 'raw instrumented metrics', 'raw signer'] as const;
type Column = (typeof COLUMNS)[number];

/** One row of the README's table. */
export interface SummaryRow {
  readonly title: string;
  readonly scenario: string;
  readonly variant: Series['variant'];
  readonly measure: string;
  /** Other contenders than the columns'; `undefined` for an empty cell. */
  readonly contenders?: Partial<Record<Column, string | undefined>>;
}

function variantTitle({ variant }: Series): string {
  return Object.entries(variant)
    .map(([name, value]) => `${name} ${value}`)
    .join(', ');
}

function spread({ middle, low, high }: Spread, show: (value: number) => string): string {
  return low === high ? show(middle) : `${show(middle)} (${show(low)}–${show(high)})`;
}

/** Rounds to three significant digits, because the rest is noise. */
function figure(value: number): string {
  const rounded = Number(value.toPrecision(3));
  return rounded.toLocaleString('en', { maximumFractionDigits: 2 }).replaceAll(',', ' ');
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)];
}

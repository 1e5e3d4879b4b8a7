import type { Variant } from './programs/program.js';
import type { Results } from './results.js';
import { seriesOf, summarise, type Spread, type Summary } from './statistics.js';

/** A performance goal. */
export interface Goal {
  readonly what: string;
  readonly scenario: string;
  readonly contender: string;
  /** The contender it is compared with; default the scenario's first. */
  readonly against?: string;
  readonly variant: Variant;
  readonly measure: string;
  /** `share` is the value as a share of that of the contender in `whole`. */
  readonly of: 'value' | 'ratio' | 'difference' | 'share';
  readonly whole?: string;
  readonly atMost: number;
  /** A contender with the least that can be reached: no more than its figure reaches the goal too. */
  readonly floor?: string;
  readonly unit: string;
}

/** A goal with its measured value. */
export interface Outcome {
  readonly goal: Goal;
  readonly measured: number;
  /** The figure of the goal's floor in the same rounds, if it has one. */
  readonly floor?: number;
  /** The ratio of the scenario's first contender to itself in the same rounds, for a share its own share: the noise in a figure. */
  readonly noise?: Spread;
  readonly reached: boolean;
}

const queryRatio = (concurrency: number, max: number, contender: string, atMost: number): Goal => ({
  what: `CPU of a query ${contender === 'pgauge' ? 'without an SDK' : 'with SDK metrics'}, ${concurrency} at a time on ${max} connections`,
  scenario: 'query',
  contender,
  variant: { concurrency, max },
  measure: 'cpuUs',
  of: 'ratio',
  atMost,
  ...(contender !== 'pgauge' && { floor: 'floor metrics' }),
  unit: '× raw',
});

const QUERY_VARIANTS = [
  [1, 1],
  [10, 10],
  [100, 10],
] as const;

const checkoutGoal = (
  what: string,
  contender: string,
  measure: 'ns' | 'bytes',
  atMost: number,
  against?: string,
): Goal => ({
  what,
  scenario: measure === 'ns' ? 'checkout' : 'allocation',
  contender,
  ...(against !== undefined && { against }),
  variant: { max: 1 },
  measure,
  of: 'difference',
  atMost,
  unit: `${measure === 'ns' ? 'ns' : 'B'} over ${against ?? 'raw'}`,
});

const stormGoal = (
  connections: number,
  measure: 'wallMs' | 'cpuMs',
  against: string,
  atMost: number,
): Goal => ({
  what: `${measure === 'wallMs' ? 'wall time' : 'CPU'} of a storm of ${connections} connections, bundle and tokens, SDK metrics`,
  scenario: 'storm',
  contender: 'pgauge metrics',
  against,
  variant: { connections },
  measure,
  of: 'ratio',
  atMost,
  unit: `× ${against}`,
});

const calls = (connections: number): Goal => ({
  what: `calls to the metadata service for ${connections} connections from cold`,
  scenario: 'metadata',
  contender: 'pgauge',
  variant: { connections },
  measure: 'calls',
  of: 'value',
  atMost: 3,
  unit: 'calls',
});

const queryShare = (what: string, traced: boolean, atMost: number): Goal => {
  const sdk = traced ? 'metrics traces' : 'metrics';
  return {
    what,
    scenario: 'query-telemetry',
    contender: `pgauge ${sdk} queries`,
    variant: { concurrency: 10, max: 10 },
    measure: 'addedUs',
    of: 'share',
    whole: `raw instrumented ${sdk}`,
    atMost,
    unit: 'of what instrumentation-pg adds to raw',
  };
};

const pipelinedGoal = (
  measure: 'cpuUs' | 'wallUs',
  concurrency: number,
  atMost: number,
  against = 'raw',
): Goal => ({
  what: `${measure === 'wallUs' ? 'wall time' : 'CPU'} of a query with pipelining, SDK metrics, ${concurrency} at a time on 10 connections`,
  scenario: 'pipelined',
  contender: 'pgauge pipelining metrics',
  against,
  variant: { concurrency, max: 10 },
  measure,
  of: 'ratio',
  atMost,
  unit: `× ${against}`,
});

/** All goals, in the order of the results. */
export const GOALS: readonly Goal[] = [
  ...QUERY_VARIANTS.flatMap(([concurrency, max]) => [
    queryRatio(concurrency, max, 'pgauge', 1),
    queryRatio(concurrency, max, 'pgauge metrics', 1.1),
  ]),
  queryShare('CPU that query telemetry adds to a query, metrics', false, 0.2),
  queryShare('CPU that query telemetry adds to a query, metrics and sampled spans', true, 0.25),
  // Twice the throughput.
  pipelinedGoal('wallUs', 100, 0.5),
  pipelinedGoal('cpuUs', 100, 0.55),
  pipelinedGoal('wallUs', 10, 1, 'pgauge metrics'),
  pipelinedGoal('wallUs', 1, 1, 'pgauge metrics'),
  checkoutGoal('a checkout with SDK metrics', 'pgauge metrics', 'ns', 1_700),
  checkoutGoal('allocated by a checkout with SDK metrics', 'pgauge metrics', 'bytes', 1_000),
  {
    what: "our own share of telemetry's cost for a checkout",
    scenario: 'observer',
    contender: 'observer metrics',
    variant: {},
    measure: 'ns',
    of: 'difference',
    atMost: 100,
    unit: 'ns over two plain records',
  },
  checkoutGoal('a checkout without an SDK', 'pgauge', 'ns', 150),
  checkoutGoal('allocated by a checkout without an SDK', 'pgauge', 'bytes', 0),
  checkoutGoal('a checkout with a meter that does nothing', 'pgauge noop-meter', 'ns', 150),
  checkoutGoal('allocated by a checkout with a meter that does nothing', 'pgauge noop-meter', 'bytes', 0),
  ...[100, 500].flatMap((connections) => [
    stormGoal(connections, 'wallMs', 'raw scram', 0.8),
    stormGoal(connections, 'cpuMs', 'raw scram', 0.85),
    stormGoal(connections, 'wallMs', 'raw clear-text', 0.85),
    stormGoal(connections, 'cpuMs', 'raw clear-text', 0.85),
    stormGoal(connections, 'cpuMs', 'bare sockets', 1.25),
    {
      ...stormGoal(connections, 'cpuMs', 'pgauge metrics', 0.9),
      what: `CPU of a storm of ${connections} connections with direct TLS`,
      contender: 'pgauge metrics direct',
      unit: '× the same without',
    },
  ]),
  {
    what: 'from cold to the first answer, bundle and token',
    scenario: 'first-answer',
    contender: 'pgauge',
    against: 'raw signer',
    variant: {},
    measure: 'wallMs',
    of: 'ratio',
    atMost: 1,
    unit: '× raw with one Signer',
  },
  {
    what: 'a waiter that is served, in a queue of 10 000',
    scenario: 'waiters',
    contender: 'pgauge',
    variant: { waiters: 10_000 },
    measure: 'servedUs',
    of: 'ratio',
    atMost: 1,
    unit: '× raw',
  },
  {
    what: 'a waiter that gives up with all others, in a queue of 10 000',
    scenario: 'waiters',
    contender: 'pgauge',
    variant: { waiters: 10_000 },
    measure: 'abortedUs',
    of: 'value',
    atMost: 2,
    unit: 'µs',
  },
  calls(100),
  calls(500),
  {
    what: 'a new signature for every attempt',
    scenario: 'token',
    contender: 'pgauge',
    variant: {},
    measure: 'us',
    of: 'ratio',
    atMost: 1.3,
    unit: '× one shared Signer',
  },
  {
    what: 'making another pool with the same bundle of roots',
    scenario: 'another-pool',
    contender: 'pgauge',
    variant: {},
    measure: 'cpuMs',
    of: 'value',
    atMost: 2,
    unit: 'ms',
  },
  {
    what: 'CPU of importing pgauge',
    scenario: 'import',
    contender: 'pgauge',
    variant: {},
    measure: 'cpuMs',
    of: 'ratio',
    atMost: 1.1,
    unit: '× importing its two peers',
  },
  ...[1, 200].map((pools): Goal => ({
    what: `our callback in a collection, ${pools === 1 ? 'one pool' : `${pools} pools`}`,
    scenario: 'collection',
    contender: 'pgauge',
    variant: { pools },
    measure: 'ownUs',
    of: 'value',
    atMost: 4,
    unit: 'µs a pool',
  })),
  {
    what: 'heap of an idle connection in a pool of 500',
    scenario: 'heap',
    contender: 'pgauge metrics',
    variant: { connections: 500 },
    measure: 'bytes',
    of: 'ratio',
    atMost: 1.05,
    unit: '× raw',
  },
  checkoutGoal(
    'a checkout with traces of which none is sampled',
    'pgauge metrics unsampled',
    'ns',
    50,
    'pgauge metrics context',
  ),
];

/** The outcomes of the goals whose scenarios were measured. */
export function outcomes(results: Results): Outcome[] {
  return GOALS.flatMap((goal) => {
    const measuredScenario = results.find(({ scenario }) => scenario.name === goal.scenario);
    if (measuredScenario === undefined) return [];
    const measured = measuredFor(goal, measuredScenario);
    if (measured === undefined) throw new Error(`nothing to compare for the goal: ${goal.what}`);
    const floor =
      goal.floor === undefined
        ? undefined
        : measuredFor({ ...goal, contender: goal.floor }, measuredScenario);
    const noise = noiseOf(goal, measuredScenario);
    const reached = asShown(goal, measured) <= Math.max(goal.atMost, asShown(goal, floor ?? 0));
    return [{ goal, measured, reached, ...(floor !== undefined && { floor }), ...(noise && { noise }) }];
  });
}

/** A figure with as many decimals as the results show: differences below that are noise. */
function asShown({ of }: Goal, measured: number): number {
  return of === 'ratio' || of === 'share' ? Number(measured.toFixed(2)) : measured;
}

function noiseOf(goal: Goal, measured: Results[number]): Spread | undefined {
  const { scenario, series } = measured;
  const { variant, measure } = goal;
  const [first = ''] = scenario.contenders;
  if (goal.of === 'share') {
    const { middle, low, high } = summaryFor({ ...goal, contender: first }, measured).value;
    const whole = wholeFor(goal, measured);
    return { middle: middle / whole, low: low / whole, high: high / whole };
  }
  const mine = seriesOf(series, `${first} again`, variant);
  const theirs = seriesOf(series, first, variant);
  return mine && theirs && summarise(mine.samples, theirs.samples, measure)?.ratio;
}

function measuredFor(goal: Goal, measured: Results[number]): number | undefined {
  const summary = summaryFor(goal, measured);
  if (goal.of === 'value') return summary.value.middle;
  if (goal.of === 'share') return summary.value.middle / wholeFor(goal, measured);
  return summary[goal.of]?.middle;
}

/** What a share is a part of. */
function wholeFor(goal: Goal, measured: Results[number]): number {
  return summaryFor({ ...goal, contender: goal.whole ?? '' }, measured).value.middle;
}

function summaryFor(goal: Goal, { scenario, series }: Results[number]): Summary {
  const [first = ''] = scenario.contenders;
  const mine = seriesOf(series, goal.contender, goal.variant);
  const theirs = seriesOf(series, goal.against ?? first, goal.variant);
  const summary = mine && theirs && summarise(mine.samples, theirs.samples, goal.measure);
  // A goal without a measurement must not look like one that was reached.
  if (summary === undefined) throw new Error(`nothing was measured for the goal: ${goal.what}`);
  return summary;
}

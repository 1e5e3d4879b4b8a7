import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import {
  annotationQueries,
  panelQueries,
  readDashboard,
  variableQueries,
  withVariables,
} from '../../support/dashboard-queries.js';
import { DASHBOARDS } from '../../../dashboards/src/files.js';
import { alertNames, KNOWN_BOUNDARIES, knownSeries } from './known-series.js';
import { takeApart } from './promql-tree.js';

interface Lint {
  readonly exclusions: Readonly<
    Record<string, { reason: string; entries: { dashboard?: string; panel: string; reason: string }[] }>
  >;
}

const lint = parse(readFileSync(new URL('../../../dashboards/.lint', import.meta.url), 'utf8')) as Lint;
const dashboards = DASHBOARDS.map(({ board }) => readDashboard(board.uid));
const known = knownSeries();

// Leave the variables unreplaced: to the parser, Grafana's variables are strings.
const asWritten = {
  job: '$job',
  instance: '$instance',
  pool: '$pool',
  interval: '3m',
  rateInterval: '7m',
  rangeS: 46_800,
};
const parsed = (expr: string) => takeApart(withVariables(expr, asWritten));

const panels = dashboards.flatMap((dashboard) =>
  panelQueries(dashboard).map((query) => ({ ...query, title: dashboard.title })),
);
const everything = [
  ...panels.map(({ dashboard, panelTitle, refId, expr }) => ({
    where: `${dashboard}: ${panelTitle} ${refId}`,
    expr,
  })),
  ...dashboards.flatMap(variableQueries).map(({ dashboard, variable, selector }) => ({
    where: `${dashboard}: variable ${variable}`,
    expr: selector,
  })),
  ...dashboards.flatMap(annotationQueries).map(({ dashboard, name, expr }) => ({
    where: `${dashboard}: annotation ${name}`,
    expr,
  })),
];

describe.each(everything)('the dashboard query of $where', ({ expr }) => {
  const { selectors, aggregations, joinLabels } = parsed(expr);

  it('selects emitted series by labels that they have', () => {
    expect(selectors.length).toBeGreaterThan(0);
    for (const { metric, matchers } of selectors) {
      expect([...known.keys()]).toContain(metric);
      for (const { label } of matchers) expect([...(known.get(metric) ?? [])]).toContain(label);
    }
  });

  it('groups and joins by labels of its series', () => {
    for (const { by, metrics } of aggregations) {
      const available = new Set(metrics.flatMap((metric) => [...(known.get(metric) ?? [])]));
      for (const label of by) expect([...available]).toContain(label);
    }
    const available = new Set(selectors.flatMap(({ metric }) => [...(known.get(metric) ?? [])]));
    for (const label of joinLabels) expect([...available]).toContain(label);
  });

  it('uses only bucket boundaries that the histogram has', () => {
    for (const { matchers } of selectors) {
      for (const { label, value } of matchers)
        if (label === 'le') expect([...KNOWN_BOUNDARIES]).toContain(value);
    }
  });

  it('uses rates over $__rate_interval, and counters only with rate or increase', () => {
    for (const { metric, range } of selectors) {
      if (range?.call === 'rate') expect(range.window).toBe('7m');
      if (metric.endsWith('_total')) expect(['rate', 'increase']).toContain(range?.call);
    }
  });

  it('computes rates before sums, and quantiles over sums by le', () => {
    for (const { metric, within } of selectors) {
      if (metric.endsWith('_bucket')) expect(within).toContain('AggregateExpr');
    }
    for (const { by, metrics, operator } of aggregations) {
      if (expr.includes('histogram_quantile') && metrics.some((metric) => metric.endsWith('_bucket'))) {
        expect(operator).toBe('sum');
        expect(by).toContain('le');
      }
    }
  });

  it('does not turn missing data into zeros', () => {
    expect(expr).not.toMatch(/\bvector\s*\(/);
  });
});

describe.each(panels)('the target $refId of $panelTitle in $dashboard', (target) => {
  const { selectors } = parsed(target.expr);
  const excluded = (rule: string): boolean =>
    (lint.exclusions[rule]?.entries ?? []).some(
      ({ dashboard, panel }) => panel === target.panelTitle && (dashboard ?? target.title) === target.title,
    );

  it.each(['job', 'instance'])('selects by the variable %s', (variable) => {
    if (excluded(`target-${variable}-rule`)) return;
    for (const { matchers } of selectors) {
      expect(matchers).toContainEqual({ label: variable, operator: '=~', value: `$${variable}` });
    }
  });

  it('requests exemplars for span metrics only', () => {
    const spans = selectors.some(({ metric }) => metric.startsWith('traces_span_metrics_'));
    expect(target.exemplar).toBe(spans);
  });
});

describe('the exclusions from the linter', () => {
  it.each(
    Object.entries(lint.exclusions).flatMap(([rule, { entries }]) =>
      entries.map((entry) => ({ rule, ...entry })),
    ),
  )(
    '$rule of $panel has a reason and an existing panel that needs it',
    ({ rule, panel, dashboard, reason }) => {
      const variable = /^target-(\w+)-rule$/.exec(rule)?.[1] ?? '';
      const targets = panels.filter(
        ({ panelTitle, title }) => panelTitle === panel && (dashboard ?? title) === title,
      );
      const selectors = targets.flatMap(({ expr }) => parsed(expr).selectors);
      const lacking = selectors.filter(
        ({ matchers }) =>
          !matchers.some(({ label, value }) => label === variable && value === `$${variable}`),
      );
      expect(reason).toMatch(/\w{3}/);
      expect(lacking.length).toBeGreaterThan(0);
    },
  );
});

/** Series of instrumentation-pg have no pool label, and neither do those that the rules record from them. */
const mayLackPools = (metric: string): boolean => /^db_client_operation_|:pgauge_query_/.test(metric);

describe('the dashboard queries', () => {
  it('select by the variable pool if the series have a pool label', () => {
    for (const { panelTitle, expr } of panels) {
      // The fleet panels cover all pools, and query spans have no pool name.
      if (['New connections of the fleet', 'Alerts firing', 'Alerts'].includes(panelTitle)) continue;
      for (const { metric, matchers } of parsed(expr).selectors) {
        if (metric.startsWith('traces_') && matchers.some(({ value }) => value.startsWith('pg[.]query')))
          continue;
        const selected = matchers.some(
          ({ label, value }) =>
            label.endsWith('pool_name') && value === (mayLackPools(metric) ? '$pool|' : '$pool'),
        );
        expect({ panelTitle, metric, selected }).toEqual({
          panelTitle,
          metric,
          selected: known.get(metric)?.has('db_client_connection_pool_name'),
        });
      }
    }
  });

  it('find alert names that all start with Pgauge', () => {
    expect(alertNames().length).toBeGreaterThan(0);
    for (const name of alertNames()) expect(name).toMatch(/^Pgauge/);
  });
});

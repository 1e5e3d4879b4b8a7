import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { DASHBOARDS } from '../../../dashboards/src/files.js';
import { SLOW_BUDGET, SLOW_SECONDS } from '../../../dashboards/src/queries/measures.js';
import { KNOWN_LABELS, KNOWN_METRICS, KNOWN_VALUES } from './known-series.js';
import { readQuery } from './promql.js';
import { ALERTING_RULES, RECORDING_RULES, ROOT, RULE_TESTS } from './rule-files.js';

const DASHBOARD_UIDS = DASHBOARDS.map(({ board }) => board.uid);
const RECORDED = RECORDING_RULES.map(({ record }) => record);
const ALL_RULES = [
  ...RECORDING_RULES.map(({ record, expr }) => ({ name: record, expr })),
  ...ALERTING_RULES.map(({ alert, labels, expr }) => ({
    name: `${alert} ${labels?.['severity'] ?? ''}`,
    expr,
  })),
];
const ALERT_NAMES = [...new Set(ALERTING_RULES.map(({ alert }) => alert))];

describe.each(ALL_RULES)('$name', ({ expr }) => {
  const { selectors, groupingLabels, durations, hasSubquery } = readQuery(expr);

  it('reads only series from the library or from a recording rule', () => {
    expect(selectors).not.toEqual([]);
    for (const { metric } of selectors) expect([...KNOWN_METRICS.keys(), ...RECORDED]).toContain(metric);
  });

  it('selects by labels that the series have, and values that they can have', () => {
    for (const { metric, matchers } of selectors) {
      for (const { label, op, value } of matchers) {
        expect([...(KNOWN_METRICS.get(metric)?.labels ?? [])], metric).toContain(label);
        const values = label === 'le' ? KNOWN_METRICS.get(metric)?.bounds : KNOWN_VALUES.get(label);
        if (values && op === '=') expect(values).toContain(value);
      }
    }
  });

  it('groups by labels that exist', () => {
    for (const label of groupingLabels) expect([...KNOWN_LABELS]).toContain(label);
  });

  it('has windows that hold three exports of a minute, and no subquery', () => {
    expect(hasSubquery).toBe(false);
    for (const duration of durations) expect(seconds(duration)).toBeGreaterThanOrEqual(180);
  });
});

describe.each(ALERTING_RULES)('$alert ($labels.severity)', ({ alert, labels, annotations }) => {
  it('is named after the library and has a severity', () => {
    expect(alert).toMatch(/^Pgauge[A-Z]/);
    expect(['warning', 'critical']).toContain(labels?.['severity']);
  });

  it('has annotations with the problem, its value, and a runbook', () => {
    expect(annotations?.['summary']).toContain('{{ $labels.');
    expect(annotations?.['description']).toContain('{{ $value');
    expect(annotations?.['runbook_url']).toBe(`docs/runbooks/${pageOf(alert)}`);
    expect(existsSync(`${ROOT}${annotations?.['runbook_url'] ?? ''}`)).toBe(true);
    expect(DASHBOARD_UIDS).toContain(annotations?.['dashboard_uid']);
  });
});

describe.each(ALERT_NAMES)('%s', (alert) => {
  const checks = RULE_TESTS.flatMap((test) => test.alert_rule_test ?? []).filter(
    ({ alertname }) => alertname === alert,
  );

  it('has unit tests in which it fires and does not fire', () => {
    expect(checks.filter(({ exp_alerts = [] }) => exp_alerts.length > 0)).not.toEqual([]);
    expect(checks.filter(({ exp_alerts = [] }) => exp_alerts.length === 0)).not.toEqual([]);
  });

  it('has a unit test with an export every minute', () => {
    const slow = RULE_TESTS.filter(({ interval }) => interval === '60s');
    expect(slow.some((test) => JSON.stringify(test).includes(alert))).toBe(true);
  });
});

it('the rules have unit tests with expected values for every recorded series', () => {
  const expected = RULE_TESTS.flatMap((test) => test.promql_expr_test ?? []).filter(
    ({ exp_samples = [] }) => exp_samples.length > 0,
  );
  for (const record of RECORDED) expect(expected.some(({ expr }) => expr.includes(record))).toBe(true);
});

it('the unit tests of the rules use only series of the library', () => {
  for (const { series } of RULE_TESTS.flatMap((test) => test.input_series)) {
    for (const { metric, matchers } of readQuery(series).selectors) {
      const labels = KNOWN_METRICS.get(metric)?.labels;
      for (const { label } of matchers) expect([...(labels ?? [])], series).toContain(label);
    }
  }
});

it.each(['acquire', 'query'])(
  'the rules record the share of slow %s calls in the same way for every window',
  (what) => {
    const expressions = RECORDING_RULES.filter(({ record }) =>
      record.includes(`pgauge_${what}_slow:ratio_`),
    ).map(({ record, expr }) => expr.replaceAll(`[${/rate(\w+)$/.exec(record)?.[1] ?? ''}]`, '[window]'));
    expect(expressions).toHaveLength(4);
    expect(new Set(expressions).size).toBe(1);
  },
);

it('the rules define the limit for slow queries once, and the dashboards use it', () => {
  const bounds = [...RECORDING_RULES, ...ALERTING_RULES].flatMap(({ expr }) =>
    readQuery(expr)
      .selectors.filter(({ metric }) => metric.startsWith('db_client_operation_'))
      .flatMap(({ matchers }) => matchers.filter(({ label }) => label === 'le')),
  );
  expect(bounds.map(({ value }) => value)).toEqual([String(SLOW_SECONDS)]);
  const burns = ALERTING_RULES.filter(({ alert }) => alert === 'PgaugeQuerySloBurn');
  expect(burns).toHaveLength(2);
  for (const { expr } of burns)
    expect(expr.match(/ \* [\d.]+/g)).toEqual([` * ${SLOW_BUDGET}`, ` * ${SLOW_BUDGET}`]);
});

it('every runbook belongs to an alert', () => {
  const pages = readdirSync(`${ROOT}docs/runbooks`).filter((name) => name !== 'README.md');
  expect(pages.sort()).toEqual(ALERT_NAMES.map(pageOf).sort());
});

it('the rules link to existing dashboards', () => {
  const uids = readdirSync(`${ROOT}dashboards`)
    .filter((name) => name.endsWith('.json'))
    .map((name) => (JSON.parse(readFileSync(`${ROOT}dashboards/${name}`, 'utf8')) as { uid?: string }).uid);
  for (const { annotations } of ALERTING_RULES) expect(uids).toContain(annotations?.['dashboard_uid']);
});

/** The file name of an alert's page: `pool-exhausted.md` for `PgaugePoolExhausted`. */
function pageOf(alert: string): string {
  const words = alert.replace(/^Pgauge/, '').match(/[A-Z][a-z]+/g) ?? [];
  return `${words.join('-').toLowerCase()}.md`;
}

function seconds(duration: string): number {
  const [, count = '', unit = ''] = /^(\d+)([smh])$/.exec(duration) ?? [];
  return Number(count) * ({ s: 1, m: 60, h: 3600 }[unit] ?? NaN);
}

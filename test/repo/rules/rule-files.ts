import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';

/** The root of the repository. */
export const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

interface RecordingRule {
  readonly record: string;
  readonly expr: string;
}

/** An alerting rule as Prometheus reads it. */
export interface AlertingRule {
  readonly alert: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

interface RuleTest {
  readonly interval?: string;
  readonly name: string;
  readonly input_series: readonly { readonly series: string }[];
  readonly alert_rule_test?: readonly {
    readonly alertname: string;
    readonly exp_alerts?: readonly unknown[];
  }[];
  readonly promql_expr_test?: readonly { readonly expr: string; readonly exp_samples?: readonly unknown[] }[];
}

type Rule = RecordingRule | AlertingRule;

const { groups } = read('pgauge.rules.yml') as { groups: readonly { readonly rules: readonly Rule[] }[] };
const rules = groups.flatMap((group) => group.rules);

export const RECORDING_RULES = rules.filter((rule) => 'record' in rule);
export const ALERTING_RULES = rules.filter((rule) => 'alert' in rule);
/** The unit tests that `promtool test rules` runs. */
export const RULE_TESTS = (read('pgauge.rules.test.yml') as { tests: readonly RuleTest[] }).tests;

function read(name: string): unknown {
  return parse(readFileSync(`${ROOT}dashboards/rules/${name}`, 'utf8'));
}

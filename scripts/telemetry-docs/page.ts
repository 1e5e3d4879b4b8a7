import { format, resolveConfig } from 'prettier';
import { LOG } from '../../src/telemetry/logs/records.js';
import { ATTR, METRIC, SCOPE, SEMCONV_VERSION, SPAN, SPAN_ATTRIBUTES } from '../../src/telemetry/names.js';
import { ATTRIBUTE_NOTES, CLOSE_REASON_NOTES, LOG_NOTES, METRIC_WHEN, SPAN_NOTES } from './notes.js';
import { prometheusName } from '../../dashboards/src/prometheus-name.js';
import { STAT_METRICS, type StatMetric } from './stat-metrics.js';

type MetricKey = keyof typeof METRIC;

/** The file of the page. */
export const TELEMETRY_PAGE = new URL('../../docs/telemetry.md', import.meta.url);

/** The formatted reference page of all telemetry. */
export async function telemetryPage(): Promise<string> {
  const text = [intro(), metrics(), stats(), spans(), logs(), attributes(), closeReasons()].join('\n\n');
  return format(text, { ...(await resolveConfig(TELEMETRY_PAGE)), parser: 'markdown' });
}

function intro(): string {
  return `<!-- Generated from src/telemetry/names.ts by \`npm run docs:telemetry\`: do not edit. -->

# Telemetry

Every metric, span, log record and attribute of pgauge. What the numbers say and what to do about them is in
[Reading the numbers](reading-the-numbers.md); queries have [a guide](guides/queries.md) of their own.
[registry/](registry/) has the same as a registry of OpenTelemetry, for Weaver and other tools that read semantic conventions.

Names follow version ${SEMCONV_VERSION} of the OpenTelemetry semantic conventions where one exists; the others start
with \`pgauge.\`. The instrumentation scope is \`${SCOPE.name}\` with the version of the package and the schema URL
\`${SCOPE.schemaUrl}\`. Telemetry goes to the \`meter\`, \`meterProvider\`,
\`tracer\` or \`tracerProvider\` of the options, else to the global providers, also when they are registered after the
pool was made.

No password, token, value of a parameter or text of an error is in any of it, and SQL text nowhere but in \`${ATTR.dbQueryText}\`.`;
}

function metrics(): string {
  const keys = Object.keys(METRIC) as MetricKey[];
  const overview = keys.map((key) => {
    const { name, description } = METRIC[key];
    return [`[\`${name}\`](#${anchor(name)})`, description];
  });
  return ['## Metrics', table(['metric', 'says'], overview), ...keys.map(metric)].join('\n\n');
}

function metric(key: MetricKey): string {
  const one = METRIC[key];
  const histogram = 'buckets' in one;
  const name = prometheusName(one);
  const fields = Object.entries(STAT_METRICS).filter(([, source]) => source.metric === key);
  return [
    `### \`${one.name}\``,
    one.description,
    [
      `- Instrument: ${one.instrument}, unit \`${one.unit}\``,
      ...(histogram ? [`- Buckets: ${one.buckets.join(', ')}`] : []),
      `- Attributes: ${list(one.attributes)}`,
      `- When: ${METRIC_WHEN[key]}`,
      `- In Prometheus: ${histogram ? `\`${name}_bucket\`, \`${name}_sum\`, \`${name}_count\`` : `\`${name}\``}`,
      ...(fields.length > 0 ? [`- In \`stat()\`: ${list(fields.map(([field]) => field))}`] : []),
    ].join('\n'),
  ].join('\n\n');
}

function stats(): string {
  const rows = Object.entries(STAT_METRICS).map(([field, source]) => [
    `\`${field}\``,
    expression(source),
    source.note ?? '',
  ]);
  return `## The fields of \`pool.stat()\`

The record \`${LOG.poolStats.message}\` has the same fields in snake_case.

${table(['field', 'is', 'but'], rows)}`;
}

function expression({ metric: key, where = {}, read, times }: StatMetric): string {
  const chosen = Object.entries(where).map(([attribute, value]) =>
    value === undefined ? `without \`${attribute}\`` : `\`${attribute}\` = \`${value}\``,
  );
  const what = { value: '', count: 'the count of ', sum: 'the sum of ' }[read];
  const all = read === 'value' && chosen.length === 0 && METRIC[key].attributes.length > 1;
  return [
    `${what}\`${METRIC[key].name}\``,
    ...(all ? ['over all states'] : chosen),
    ...(times === undefined ? [] : [`× ${times}`]),
  ].join(', ');
}

function spans(): string {
  const sections = (Object.keys(SPAN) as (keyof typeof SPAN)[]).map((key) => {
    const name = key === 'connect' ? `${SPAN.connect} {database}` : SPAN[key];
    const { kind, when } = SPAN_NOTES[key];
    return `### \`${name}\`\n\n${when}\n\n- Kind: ${kind}\n- Attributes: ${list(SPAN_ATTRIBUTES[key])}`;
  });
  return [
    '## Spans',
    `None has events or a status description. The status is ERROR only if the operation itself failed, and then there is
\`${ATTR.errorType}\`. Without \`queryTelemetry\`, query spans come from \`@opentelemetry/instrumentation-pg\` in the application.`,
    ...sections,
  ].join('\n\n');
}

function logs(): string {
  const records = (Object.keys(LOG) as (keyof typeof LOG)[]).map((key) => {
    const { level, message, fields } = LOG[key];
    return `### \`${message}\`\n\n- Level: ${level}\n- When: ${LOG_NOTES[key]}\n- Fields: ${list(fields)}`;
  });
  return `## Log records

Fields first, message second, as pino takes them; times in milliseconds. A warning comes at most once a minute per pool,
message and \`error_type\`, of a query per summary, with the number of those held back since in \`suppressed\`; info and debug records are never
limited. A record that tells of one acquire or attempt is written inside the span it tells of, so that trace ids correlate.

${records.join('\n\n')}`;
}

function attributes(): string {
  const items = (Object.keys(ATTR) as (keyof typeof ATTR)[]).map(
    (key) => `- \`${ATTR[key]}\`: ${ATTRIBUTE_NOTES[key]}`,
  );
  return `## Attributes\n\n${items.join('\n')}`;
}

function closeReasons(): string {
  const items = Object.entries(CLOSE_REASON_NOTES).map(([reason, note]) => `- \`${reason}\`: ${note}`);
  return `## Close reasons\n\nThe values of \`${ATTR.closeReason}\`.\n\n${items.join('\n')}`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

function list(names: readonly string[]): string {
  return names.map((name) => `\`${name}\``).join(', ');
}

/** The anchor that GitHub generates for a heading. */
function anchor(heading: string): string {
  return heading.replaceAll('.', '').toLowerCase();
}

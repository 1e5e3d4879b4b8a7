import { CLOSE_REASONS } from '../../src/observer.js';
import { ATTR, METRIC, SPAN, SPAN_ATTRIBUTES } from '../../src/telemetry/names.js';
import { ATTRIBUTE_NOTES, CLOSE_REASON_NOTES, METRIC_WHEN, SPAN_NOTES } from '../telemetry-docs/notes.js';

type AttributeKey = keyof typeof ATTR;
type Group = Readonly<Record<string, unknown>>;

const STABILITY = 'development';
const OWN = 'pgauge.';

const INSTRUMENTS = {
  Histogram: 'histogram',
  ObservableCounter: 'counter',
  ObservableGauge: 'gauge',
  ObservableUpDownCounter: 'updowncounter',
} as const;

/** Types of our attributes that are not strings, and the values of enumerations. */
const TYPES: Partial<Record<AttributeKey, unknown>> = {
  connectionPid: 'int',
  poolUsed: 'int',
  poolIdle: 'int',
  poolConnecting: 'int',
  poolPending: 'int',
  poolLimit: 'int',
  closeReason: members(CLOSE_REASONS.map((reason) => [reason, CLOSE_REASON_NOTES[reason]])),
  queryCancelReason: members([
    ['timeout', 'The time limit of the query had passed.'],
    ['aborted', 'The signal of the query was aborted.'],
  ]),
  acquireReason: members([
    ['new_connection', 'A connection is or may be made for it.'],
    ['exhausted', 'All connections there may be are in use.'],
  ]),
  sessionHook: members([
    ['acquire', 'The option onAcquire.'],
    ['reset', 'The option resetSession.'],
  ]),
};

/** Examples of string attributes, which the conventions require. */
const EXAMPLES: Partial<Record<AttributeKey, readonly string[]>> = {
  authProviderName: ['awsRdsIam', 'azureAd'],
  tlsMode: ['verify-full', 'disable'],
};

/** Our attributes; the others are those of the semantic conventions. */
export function attributeGroup(): Group {
  return {
    id: 'registry.pgauge',
    type: 'attribute_group',
    display_name: 'Attributes of pgauge',
    brief: 'What the metrics and spans of pgauge say beside the semantic conventions.',
    attributes: (Object.keys(ATTR) as AttributeKey[])
      .filter((key) => ATTR[key].startsWith(OWN))
      .map((key) => {
        const type = TYPES[key] ?? 'string';
        const brief = ATTRIBUTE_NOTES[key];
        const examples = type === 'int' ? [4] : EXAMPLES[key];
        return {
          ...{ id: ATTR[key], type, brief, stability: STABILITY },
          ...(examples === undefined ? {} : { examples }),
        };
      }),
  };
}

/** Every metric, including those of the semantic conventions, as pgauge emits it. */
export function metricGroups(): readonly Group[] {
  return (Object.keys(METRIC) as (keyof typeof METRIC)[]).map((key) => {
    const { name, instrument, unit, description, attributes } = METRIC[key];
    return {
      ...{
        id: `metric.${name}`,
        type: 'metric',
        metric_name: name,
        instrument: INSTRUMENTS[instrument],
        unit,
      },
      ...{ brief: description, note: METRIC_WHEN[key], stability: STABILITY },
      attributes: attributes.map(reference),
    };
  });
}

/** Every span. */
export function spanGroups(): readonly Group[] {
  return (Object.keys(SPAN) as (keyof typeof SPAN)[]).map((key) => ({
    ...{ id: `span.${spanType(key)}`, type: 'span', span_kind: SPAN_NOTES[key].kind.toLowerCase() },
    ...{ brief: SPAN_NOTES[key].when, stability: STABILITY },
    attributes: SPAN_ATTRIBUTES[key].map(reference),
  }));
}

/** Our own spans are named by their type; the names of the others contain a database or a query. */
function spanType(key: keyof typeof SPAN): string {
  return SPAN[key].startsWith(OWN) ? SPAN[key] : `${OWN}${key}`;
}

function reference(name: string): Group {
  // Not required, because some values are known only sometimes, and the error type is set only for an error.
  return { ref: name, requirement_level: 'recommended' };
}

function members(values: readonly (readonly [string, string])[]): Group {
  return {
    members: values.map(([value, brief]) => ({ id: value, value, brief, stability: STABILITY })),
  };
}

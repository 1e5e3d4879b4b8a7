import { parser } from '@prometheus-io/lezer-promql';
import { parse, stringify } from 'yaml';
import { duration } from './scale.js';

/** The fields of a rules file that are durations. */
const DURATION_FIELDS = new Set(['interval', 'query_offset', 'for', 'keep_firing_for']);
const UNIT_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
  y: 31_536_000_000,
};

/**
 * The text of a Prometheus rules file with every duration divided by `factor`: those of groups and alerts, and the
 * ranges, offsets and steps of queries. Names, thresholds, labels and annotations stay unchanged.
 */
export function shortenRules(text: string, factor: number): string {
  return stringify(shortenNode(parse(text), factor), { lineWidth: 0 });
}

/** A query with its ranges, offsets and steps divided by `factor`. */
export function shortenQuery(query: string, factor: number): string {
  let result = '';
  let copied = 0;
  parser
    .configure({ strict: true })
    .parse(query)
    .iterate({
      enter: ({ name, from, to }) => {
        if (name !== 'NumberDurationLiteralInDurationContext') return;
        result += query.slice(copied, from) + shortenDuration(query.slice(from, to), factor);
        copied = to;
      },
    });
  return result + query.slice(copied);
}

/** A Prometheus duration, `1h30m` or a number of seconds, divided by `factor`; 0 only if it was 0. */
export function shortenDuration(text: string, factor: number): string {
  const ms = millisecondsOf(text);
  return ms === 0 ? text : duration(ms / factor);
}

function millisecondsOf(text: string): number {
  if (/^[\d.]+$/.test(text)) return Number(text) * 1_000;
  const parts = [...text.matchAll(/(\d+)(ms|[smhdwy])/g)];
  if (parts.length === 0 || parts.map(([part]) => part).join('') !== text)
    throw new Error(`not a duration: ${text}`);
  return parts.reduce((sum, [, count, unit = '']) => sum + Number(count) * (UNIT_MS[unit] ?? NaN), 0);
}

function shortenNode(node: unknown, factor: number): unknown {
  if (Array.isArray(node)) return node.map((item) => shortenNode(item, factor));
  if (typeof node !== 'object' || node === null) return node;
  return Object.fromEntries(
    Object.entries(node).map(([key, value]) => {
      if (key === 'annotations' || key === 'labels') return [key, value as unknown];
      if (key === 'expr') return [key, shortenQuery(String(value), factor)];
      if (DURATION_FIELDS.has(key)) return [key, shortenDuration(String(value), factor)];
      return [key, shortenNode(value, factor)];
    }),
  );
}

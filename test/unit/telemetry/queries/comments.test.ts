import { context, ROOT_CONTEXT, trace, TraceFlags } from '@opentelemetry/api';
import { afterEach, describe, expect, it } from 'vitest';
import { Comments } from '../../../../src/telemetry/queries/comments.js';
import { Statement } from '../../../../src/telemetry/queries/statements.js';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const SPAN = 'b7ad6b7169203331';
const within = (traceFlags: TraceFlags, traceId = TRACE) =>
  trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId: SPAN, traceFlags });
const SAMPLED = within(TraceFlags.SAMPLED);

const query = (name?: string) => ({ text: 'select 1', name, parameterized: name !== undefined });
const comment = (comments: Comments, given = query(), active = SAMPLED) =>
  comments.of(new Statement({ text: 'SELECT' }, given.text), given, active);

afterEach(() => context.disable());

describe('the comment of a query', () => {
  const SERVICE = " /*application='shop',db_driver='pgauge',pool='orders'*/";

  it('is empty when the option is off', () => {
    expect(comment(new Comments(false, 'orders', 'shop'))).toBe('');
  });

  it('with service, is the same for every query of the pool', () => {
    const comments = new Comments('service', 'orders', 'shop');
    expect(comment(comments)).toBe(SERVICE);
    expect(comment(comments, query('named'), ROOT_CONTEXT)).toBe(SERVICE);
  });

  it('omits the application if it is unknown', () => {
    expect(comment(new Comments('service', 'orders', undefined))).toBe(
      " /*db_driver='pgauge',pool='orders'*/",
    );
  });

  it('with trace, has the sampled span unless the statement is named', () => {
    const comments = new Comments('trace', 'orders', 'shop');
    const traced = SERVICE.replace('*/', `,traceparent='00-${TRACE}-${SPAN}-01'*/`);
    expect(comment(comments)).toBe(traced);
    expect(comment(comments, query('named'))).toBe(SERVICE);
  });

  it.each([
    ['is not sampled', within(TraceFlags.NONE)],
    ['is not valid', within(TraceFlags.SAMPLED, '0'.repeat(32))],
    ['does not exist', ROOT_CONTEXT],
  ])('with trace, omits a span that %s', (_what, active) => {
    expect(comment(new Comments('trace', 'orders', 'shop'), query(), active)).toBe(SERVICE);
  });

  it('is empty for a text that already ends in such a comment', () => {
    const text = "select 1 /*route='x'*/";
    expect(comment(new Comments('trace', 'orders', 'shop'), { ...query(), text })).toBe('');
  });

  it.each(['*/ drop table users; --', "it's", 'a\\', '\ud800', "','", '*/', 'ü\n\0'])(
    'cannot be ended early by a name: %o',
    (name) => {
      for (const comments of [new Comments('service', name, 'shop'), new Comments('service', 'p', name)]) {
        const inside = /^ \/\*(.*)\*\/$/s.exec(comment(comments))?.[1] ?? '';
        expect(inside).toMatch(/^application='(?:[^'\\]|\\.)+',db_driver='pgauge',pool='(?:[^'\\]|\\.)+'$/);
        expect(inside).not.toMatch(/\*\/|\/\*|[\p{Cc}\p{Cs}]/u);
      }
    },
  );
});

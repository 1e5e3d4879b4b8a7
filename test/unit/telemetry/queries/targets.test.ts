import { describe, expect, it } from 'vitest';
import { Targets } from '../../../../src/telemetry/queries/targets.js';
import { SESSION } from '../../../support/telemetry.js';

const SUMMARY = { text: 'SELECT orders' };
const SHARED = {
  'db.system.name': 'postgresql',
  'db.namespace': 'shop',
  'server.address': 'db.example',
  'db.client.connection.pool.name': 'p',
};

describe('the attributes of a query series', () => {
  const series = (changes: object, summary: { text: string | undefined } = SUMMARY) =>
    new Targets('p').of({ ...SESSION, ...changes }).series(summary);

  it('have the port only if it is not the default, except on spans', () => {
    const { answered, span } = series({});
    expect(answered).toStrictEqual({ ...SHARED, 'db.query.summary': 'SELECT orders' });
    expect(span).toStrictEqual({ ...answered, 'server.port': 5432 });
    expect(series({ port: 6432 }).answered).toStrictEqual({ ...answered, 'server.port': 6432 });
  });

  it('have no summary if there is none', () => {
    expect(series({}, { text: undefined }).answered).toStrictEqual(SHARED);
  });

  it('have the type of an error, and the SQLSTATE if the server answered', () => {
    const one = series({});
    expect(one.failed('22012', '22012')).toStrictEqual({
      ...one.answered,
      'error.type': '22012',
      'db.response.status_code': '22012',
    });
    expect(one.failed('22012', undefined)).toStrictEqual({ ...one.answered, 'error.type': '22012' });
  });

  it('are created once', () => {
    const targets = new Targets('p');
    const one = targets.of(SESSION).series(SUMMARY);
    const other = targets.of({ ...SESSION, pid: 8, peerAddress: undefined }).series(SUMMARY);
    expect(other).toBe(one);
    expect(other.failed('22012', '22012')).toBe(one.failed('22012', '22012'));
    expect(one.failed('ECONNRESET', undefined)).toBe(one.failed('ECONNRESET', undefined));
  });
});

describe('Targets', () => {
  it.each([{ host: 'other' }, { port: 1 }, { database: 'other' }])(
    'distinguishes a session by %o',
    (change) => {
      const targets = new Targets('p');
      expect(targets.of({ ...SESSION, ...change })).not.toBe(targets.of(SESSION));
    },
  );

  it('forgets the oldest when a hook keeps dialling new hosts', () => {
    const targets = new Targets('p');
    const first = targets.of(SESSION);
    for (let n = 0; n < 63; n++) targets.of({ ...SESSION, host: `replica-${n}` });
    expect(targets.of(SESSION)).toBe(first);
    targets.of({ ...SESSION, host: 'one too many' });
    expect(targets.of(SESSION)).not.toBe(first);
  });
});

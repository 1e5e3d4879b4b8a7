import { afterEach, describe, expect, it } from 'vitest';
import type { CloseReason } from '../../../../src/observer.js';
import { CLOSE_REASONS } from '../../../../src/observer.js';
import { cleanUp, keptLogs, observed } from '../../../support/telemetry.js';

const POOL = 'db.example:5432/shop';
const withCode = (code: string) => Object.assign(new Error('x'), { code });

afterEach(cleanUp);

describe('TelemetryObserver', () => {
  it('shares one acquire object among all callers while there is no tracer', () => {
    const { observer } = observed();
    expect(observer.acquireStarted()).toBe(observer.acquireStarted());
  });

  it('warns about a connection that is closed because of a fault, and about no other', () => {
    const { logger, named } = keptLogs();
    const { observer } = observed({}, { logger });
    for (const reason of CLOSE_REASONS) observer.closed(reason, 1);
    const lost: CloseReason[] = ['server_closed', 'network', 'timeout', 'read_only'];
    expect(named('postgres connection lost').map((entry) => entry.fields['reason'])).toEqual(lost);
    const released = named('postgres client released in a transaction');
    const busy = named('postgres client released while a query was running');
    expect([...released, ...busy]).toMatchObject([
      { level: 'warn', fields: { pool: POOL, reason: 'tx_open', age_ms: 1, suppressed: 0 } },
      { level: 'warn', fields: { pool: POOL, reason: 'busy', age_ms: 1, suppressed: 0 } },
    ]);
    expect(named('postgres connection closed')).toHaveLength(13);
    observer.closed('network', 7, withCode('ECONNRESET'));
    expect(named('postgres connection lost').at(-1)).toMatchObject({
      level: 'warn',
      fields: { pool: POOL, reason: 'network', error_type: 'ECONNRESET', age_ms: 7, suppressed: 0 },
    });
  });
});

import { describe, expect, it } from 'vitest';
import { judge, type Counts } from '../../../../src/doctor/checks/headroom.js';

describe("the doctor's headroom check", () => {
  const counts: Counts = {
    max_connections: 100,
    reserved: 3,
    used: 80,
    role_limit: -1,
    role_used: 5,
    database_limit: -1,
    database_used: 70,
  };
  const name = { user: 'App', database: 'app' };

  it('passes when a full pool fits exactly', () => {
    expect(judge(counts, 17, name)).toMatchObject({ status: 'ok', facts: { free: 17 } });
  });

  it('warns when one connection is missing', () => {
    expect(judge(counts, 18, name)).toMatchObject({ status: 'warning', code: 'headroom_small' });
  });

  it('fails when the server could never hold the pool', () => {
    expect(judge(counts, 98, name)).toMatchObject({ status: 'failed', code: 'pool_too_large' });
  });

  it('respects the limits of the role and of the database', () => {
    expect(judge({ ...counts, role_limit: 14 }, 10, name)).toMatchObject({
      code: 'headroom_small',
      facts: { free: 9, limited_by: 'CONNECTION LIMIT of role App' },
    });
    const { remedy } = judge({ ...counts, role_limit: 9 }, 10, name);
    expect(remedy).toContain('ALTER ROLE "App" CONNECTION LIMIT -1;');
    expect(judge({ ...counts, database_limit: 75 }, 10, name)).toMatchObject({ facts: { free: 5 } });
  });
});

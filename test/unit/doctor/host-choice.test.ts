import { describe, expect, it } from 'vitest';
import { choose } from '../../../src/doctor/host-choice.js';
import type { Report } from '../../../src/doctor/report.js';
import type { TargetSessionAttrs } from '../../../src/settings/hosts.js';

const FACTS = {
  primary: { in_recovery: false, default_read_only: false },
  'read-only primary': { in_recovery: false, default_read_only: true },
  standby: { in_recovery: true, default_read_only: false },
  dead: {},
} as const;

type Kind = keyof typeof FACTS;

const reportOf = (kind: Kind, at: number): Report => ({
  startedAt: new Date(0),
  durationMs: 0,
  target: { host: 'host', port: at },
  steps: [{ id: 'server', status: 'ok', code: 'ok', found: '', durationMs: 0, facts: FACTS[kind] }],
});
const chosen = (wanted: TargetSessionAttrs, ...kinds: Kind[]) => choose(kinds.map(reportOf), wanted);

describe('in the doctor, the host that a pool uses', () => {
  it.each<[TargetSessionAttrs, number | undefined, readonly Kind[]]>([
    ['any', 1, ['dead', 'standby', 'primary']],
    ['primary', 2, ['dead', 'standby', 'primary']],
    ['primary', 0, ['read-only primary', 'primary']],
    ['read-write', 1, ['read-only primary', 'primary']],
    ['read-only', 0, ['read-only primary', 'standby']],
    ['standby', 1, ['read-only primary', 'standby']],
    ['prefer-standby', 1, ['primary', 'standby']],
    ['prefer-standby', 1, ['dead', 'primary']],
    ['standby', undefined, ['primary', 'primary']],
    ['read-write', undefined, ['standby', 'read-only primary']],
    ['any', undefined, ['dead', 'dead']],
    ['prefer-standby', undefined, ['dead']],
  ])('with %s is host %s of %j', (wanted, at, kinds) => {
    const choice = chosen(wanted, ...kinds);
    expect(choice.at).toBe(at);
    expect(choice.outcome.status === 'failed').toBe(at === undefined);
  });

  it('is reported together with the state of the others', () => {
    expect(chosen('primary', 'dead', 'standby', 'read-only primary').outcome.found).toBe(
      'host:0 is not logged in to, host:1 is a standby, host:2 is a primary, read-only by default; a pool uses host:2',
    );
  });

  it('causes a warning if it is a standby that was not requested', () => {
    expect(chosen('any', 'standby').outcome).toMatchObject({ status: 'warning', code: 'standby' });
    expect(chosen('standby', 'standby').outcome).toMatchObject({ status: 'ok' });
  });

  it('is missing for the reason in the remedy', () => {
    expect(chosen('any', 'dead').outcome.remedy).toBe('mend what failed above');
    expect(chosen('primary', 'standby').outcome.remedy).toContain('the cluster has one of that kind');
  });
});

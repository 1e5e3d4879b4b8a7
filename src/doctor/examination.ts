import { additional } from '../auth/doctor.js';
import { Deadline, onAbort, untilAborted, withTimeout } from '../deadline.js';
import type { Check } from './addition.js';
import { checkCancel } from './checks/cancel.js';
import { checkConfiguration } from './checks/configuration.js';
import { checkCredentials } from './checks/credentials.js';
import { checkDns } from './checks/dns.js';
import { checkHeadroom } from './checks/headroom.js';
import { checkLogin } from './checks/login.js';
import { checkOtel } from './checks/otel.js';
import { checkMembership } from './checks/membership.js';
import { checkRegion } from './checks/region.js';
import { checkServer } from './checks/server.js';
import { checkTcp } from './checks/tcp.js';
import { checkTls } from './checks/tls.js';
import { checkToken } from './checks/token.js';
import {
  STEP_SHARE,
  STEP_TITLES,
  failed,
  type Outcome,
  type Report,
  type StepId,
  type StepResult,
} from './report.js';
import { Session, type Settings } from './session.js';
import { targetOf } from './settings.js';

/**
 * The checks, and the steps that must not have failed before each. A check that needs no network path to the server
 * does not depend on one.
 */
const STEPS: Readonly<Record<StepId, { readonly check: Check; readonly needs: readonly StepId[] }>> = {
  configuration: { check: checkConfiguration, needs: [] },
  dns: { check: checkDns, needs: ['configuration'] },
  tcp: { check: checkTcp, needs: ['dns'] },
  tls: { check: checkTls, needs: ['tcp'] },
  region: { check: checkRegion, needs: ['configuration'] },
  credentials: { check: checkCredentials, needs: ['region'] },
  token: { check: checkToken, needs: ['credentials'] },
  login: { check: checkLogin, needs: ['tls', 'token'] },
  rds_iam: { check: checkMembership, needs: ['login'] },
  server: { check: checkServer, needs: ['login'] },
  headroom: { check: checkHeadroom, needs: ['login'] },
  cancel: { check: checkCancel, needs: ['login'] },
  otel: { check: checkOtel, needs: [] },
};

/** How long an aborted check may take to report what it was waiting for, in milliseconds; on a busy machine that is long. */
const GRACE_MS = 1_000;

/** Receives each step when it starts and when it ends, also when its check was skipped. */
export interface Watcher {
  started(id: StepId): unknown;
  ended(step: StepResult): unknown;
}

/** Runs every check that can run and has no known result, within the given time; never rejects. */
export async function examine(
  settings: Settings,
  env: NodeJS.ProcessEnv,
  watcher?: Watcher,
  known: readonly StepResult[] = [],
): Promise<Report> {
  const startedAt = new Date();
  const startedMs = performance.now();
  const session = new Session(settings, env, additional('secrets').flat());
  const steps: StepResult[] = [];
  for (const id of Object.keys(STEP_TITLES) as StepId[]) {
    const before = known.find((step) => step.id === id);
    if (before !== undefined) {
      steps.push({ ...before, durationMs: 0 });
      continue;
    }
    const stepStartedMs = performance.now();
    watcher?.started(id);
    const leftMs = settings.timeoutMs - (stepStartedMs - startedMs);
    const because = steps.find((step) => STEPS[id].needs.includes(step.id) && hasFailed(step));
    const outcome = because
      ? skippedAfter(because)
      : leftMs <= 0
        ? OUT_OF_TIME
        : await run(id, session, Math.min(leftMs, settings.timeoutMs * STEP_SHARE));
    const step = { id, ...outcome, durationMs: performance.now() - stepStartedMs };
    steps.push(step);
    watcher?.ended(step);
  }
  await session.close();
  return {
    startedAt,
    durationMs: performance.now() - startedMs,
    target: targetOf(settings),
    steps,
  };
}

const OUT_OF_TIME: Outcome = {
  status: 'skipped',
  code: 'out_of_time',
  found: 'not checked: the time was over',
  remedy: 'give more time with --timeout',
};

function hasFailed({ status, code }: StepResult): boolean {
  return status === 'failed' || (status === 'skipped' && code !== 'not_configured');
}

function skippedAfter(step: StepResult): Outcome & Pick<StepResult, 'because'> {
  if (step.code === 'out_of_time') return OUT_OF_TIME;
  const because = step.because ?? step.id;
  return {
    status: 'skipped',
    code: 'earlier_step_failed',
    found: `skipped: ${STEP_TITLES[because]} failed`,
    because,
  };
}

async function run(id: StepId, session: Session, limitMs: number): Promise<Outcome> {
  try {
    return await withTimeout(limitMs, undefined, (signal) =>
      untilOverdue(STEPS[id].check(session, signal), signal),
    );
  } catch (error) {
    if ((error as NodeJS.ErrnoException | undefined)?.code === 'ETIMEDOUT') {
      const seconds = (limitMs / 1_000).toFixed(1);
      return failed(
        'timeout',
        `no result within ${seconds} s`,
        'give more time with --timeout, or look at what this step waits for',
      );
    }
    return failed(
      'internal_error',
      `the check itself failed: ${session.text.ofError(error)}`,
      'please report this with the output of --json',
    );
  }
}

/** Settles as the check does, or rejects with the signal's reason when the check ignores the signal for too long. */
async function untilOverdue(check: Promise<Outcome>, signal: AbortSignal): Promise<Outcome> {
  const overdue = new AbortController();
  let grace: Deadline | undefined;
  const forget = onAbort(signal, () => {
    grace = new Deadline(GRACE_MS, () => overdue.abort(signal.reason), true);
  });
  try {
    return await untilAborted(check, overdue.signal);
  } finally {
    grace?.clear();
    forget();
  }
}

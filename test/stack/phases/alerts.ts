import { until } from '../../support/until.js';
import type { AlertFault, Injected } from '../alerts/fault.js';
import { untilFiring, untilResolved, type AlertLife } from '../alerts/life.js';
import { POOL_FAULTS } from '../alerts/pool-faults.js';
import { SHARED_FAULTS } from '../alerts/shared-faults.js';
import type { Phase } from '../phase.js';
import type { Stack } from '../stack.js';
import type { Table } from '../table.js';

const FIRING_TIMEOUT_MS = 180_000;
const RESOLVED_TIMEOUT_MS = 300_000;
const CALM_TIMEOUT_MS = 120_000;
const LOOK_EVERY_MS = 200;
// On a busy machine acquires really are slow, and these two alerts fire correctly.
const MAY_BE_TRUE = new Set(['PgaugeAcquireSloFastBurn', 'PgaugeAcquireSloSlowBurn']);

/** Each alert fires under the fault it exists for, and clears once the fault has ended. */
export const alerts: Phase = {
  name: 'alerts',
  shows: 'every alert fires under its fault, and clears after it',
  async run(stack, table) {
    const rules = await stack.prometheus.api.rules();
    const pending = new Map(rules.map(({ name, durationS }) => [name, (durationS ?? 0) > 0]));
    const tried = new Set<string>();
    // Inject one after the other, because each starts an application; watch them at the same time.
    let injections: Promise<unknown> = Promise.resolve();
    const play = async (fault: AlertFault): Promise<void> => {
      const injection = injections.then(() => fault.inject(stack));
      injections = injection;
      const { expected, end } = await injection;
      for (const { alert } of expected) tried.add(alert);
      await live(fault.what, { expected, end }, stack, table, pending);
    };

    await calm(stack, table, 'before');
    await Promise.all(POOL_FAULTS.map(play));
    for (const fault of SHARED_FAULTS) await play(fault);
    // A regular shutdown must not fire an alert either.
    await Promise.all(stack.apps.filter((app) => app !== stack.app).map((app) => app.stop()));
    await calm(stack, table, 'after');

    const shipped = new Set(rules.filter(({ type }) => type === 'alerting').map(({ name }) => name));
    table.equal('every alert has its fault', [...shipped].sort(), [...tried].sort());
  },
};

/** Checks that no alert fires while nothing is wrong, after waiting for alerts of deliberate faults to clear. */
async function calm({ prometheus: { api } }: Stack, table: Table, when: string): Promise<void> {
  let names: string[] = [];
  const silent = async (): Promise<boolean> => {
    const alerts = await api.alerts();
    names = alerts.map(({ labels }) => labels['alertname'] ?? '').filter((name) => !MAY_BE_TRUE.has(name));
    return names.length === 0;
  };
  await until('silence', silent, CALM_TIMEOUT_MS, LOOK_EVERY_MS).catch(() => undefined);
  table.equal(`alerts while nothing is wrong, ${when}`, [], names);
}

/** Watches a fault's alerts until they fire, ends the fault, and watches until they clear; adds one row per alert. */
async function live(
  what: string,
  { expected, end }: Injected,
  { prometheus: { api } }: Stack,
  table: Table,
  pending: ReadonlyMap<string, boolean>,
): Promise<void> {
  const lives = await untilFiring(api, expected, FIRING_TIMEOUT_MS);
  const ending = Promise.resolve(end());
  await untilResolved(api, lives, RESOLVED_TIMEOUT_MS);
  await ending;
  for (const [{ alert, labels }, life] of lives) {
    const waits = pending.get(alert) ?? false;
    const severity = labels['severity'] ? ` (${labels['severity']})` : '';
    table.row(
      `${alert}${severity}: ${what}`,
      waits ? 'pending, firing, resolved' : 'firing, resolved',
      shown(life, waits),
      (!waits || life.pendingAfterS !== undefined) &&
        life.firingAfterS !== undefined &&
        life.resolvedAfterS !== undefined,
    );
  }
}

function shown({ pendingAfterS, firingAfterS, resolvedAfterS }: AlertLife, waits: boolean): string {
  const after = (s: number | undefined): string => (s === undefined ? 'never' : `after ${s.toFixed(1)} s`);
  return [
    ...(waits ? [`pending ${after(pendingAfterS)}`] : []),
    `firing ${after(firingAfterS)}`,
    `resolved ${after(resolvedAfterS)}`,
  ].join(', ');
}

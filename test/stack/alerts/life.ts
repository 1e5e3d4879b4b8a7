import { setTimeout as sleep } from 'node:timers/promises';
import type { Alert, PrometheusApi } from '../servers/prometheus-api.js';
import type { ExpectedAlert } from './fault.js';

const LOOK_EVERY_MS = 100;

/** When an alert changed state, in seconds since the start of the watch; undefined if it never did. */
export interface AlertLife {
  pendingAfterS: number | undefined;
  firingAfterS: number | undefined;
  /** In seconds since the end of the fault. */
  resolvedAfterS: number | undefined;
}

/** Watches until every alert fires, or for `timeoutMs`; returns what was seen of each. */
export async function untilFiring(
  api: PrometheusApi,
  expected: readonly ExpectedAlert[],
  timeoutMs: number,
): Promise<Map<ExpectedAlert, AlertLife>> {
  const lives = new Map<ExpectedAlert, AlertLife>(
    expected.map((alert) => [
      alert,
      { pendingAfterS: undefined, firingAfterS: undefined, resolvedAfterS: undefined },
    ]),
  );
  await look(api, timeoutMs, (alerts, afterS) => {
    for (const [alert, life] of lives) {
      const state = stateOf(alert, alerts);
      if (state === 'pending') life.pendingAfterS ??= afterS;
      if (state === 'firing') life.firingAfterS ??= afterS;
    }
    return [...lives.values()].every(({ firingAfterS }) => firingAfterS !== undefined);
  });
  return lives;
}

/** Watches until all alerts are resolved, or for `timeoutMs`; records when each one was. */
export async function untilResolved(
  api: PrometheusApi,
  lives: ReadonlyMap<ExpectedAlert, AlertLife>,
  timeoutMs: number,
): Promise<void> {
  await look(api, timeoutMs, (alerts, afterS) => {
    for (const [alert, life] of lives)
      life.resolvedAfterS =
        stateOf(alert, alerts) === undefined ? (life.resolvedAfterS ?? afterS) : undefined;
    return [...lives.values()].every(({ resolvedAfterS }) => resolvedAfterS !== undefined);
  });
}

async function look(
  api: PrometheusApi,
  timeoutMs: number,
  enough: (alerts: readonly Alert[], afterS: number) => boolean,
): Promise<void> {
  const startedAt = performance.now();
  for (;;) {
    const alerts = await api.alerts();
    const afterMs = performance.now() - startedAt;
    if (enough(alerts, afterMs / 1_000) || afterMs > timeoutMs) return;
    await sleep(LOOK_EVERY_MS);
  }
}

// If an alert has several series, the worst state counts.
function stateOf({ alert, labels }: ExpectedAlert, alerts: readonly Alert[]): Alert['state'] | undefined {
  const wanted = Object.entries({ alertname: alert, ...labels });
  const states = alerts
    .filter((seen) => wanted.every(([name, value]) => seen.labels[name] === value))
    .map(({ state }) => state);
  return states.includes('firing') ? 'firing' : states[0];
}

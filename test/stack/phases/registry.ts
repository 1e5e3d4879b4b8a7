import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { METRIC } from '../../../src/telemetry/names.js';
import { until } from '../../support/until.js';
import type { Phase } from '../phase.js';
import { LiveCheck } from '../servers/live-check.js';
import { optionalTool } from '../tools/optional-tool.js';

const INSTALL = 'put the one of https://github.com/open-telemetry/weaver/releases on PATH';
const WAIT_MS = 30_000;
/** The application uses no session hooks. */
const NOT_EMITTED = [METRIC.sessionHookDuration.name];

/** Weaver compares what an application exports with the generated registry: every metric, span and attribute of pgauge is in it, with its unit, instrument and type. */
export const registry: Phase = {
  name: 'registry',
  shows: "what is exported agrees with the generated registry, by Weaver's live-check",
  async run({ startApp }, table) {
    const weaver = await optionalTool(table, 'weaver', INSTALL, 'weaver registry live-check');
    if (weaver === undefined) return;
    const folder = await mkdtemp(join(tmpdir(), 'pgauge-registry-'));
    try {
      await using check = await LiveCheck.start(weaver, folder);
      const app = await startApp({
        ...{ instance: 'app-checked', pool: 'checked', otlpUrl: check.otlpUrl },
        ...{ secondHost: '127.0.0.1', pipelining: 4 },
      });
      await app.load({ discard: 0.1, failing: 0.1, timingOut: 0.05, aborting: 0.05 });
      await until('some work', async () => (await app.stat()).events.remove > 5, WAIT_MS);
      // Its last export is at its end.
      await app.stop();
      const { findings, metrics } = await check.report();
      const names = Object.values(METRIC).map(({ name }) => name);
      table.equal(
        'metrics of pgauge that weaver did not receive',
        NOT_EMITTED,
        names.filter((name) => !metrics[name]),
      );
      // The attributes of the resource are the SDK's.
      const violations = findings.filter(
        (finding) => finding.level === 'violation' && finding.signal_type !== 'resource',
      );
      table.equal('violations of the registry', [], [...new Set(violations.map(({ message }) => message))]);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
};

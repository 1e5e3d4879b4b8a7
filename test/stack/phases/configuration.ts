import { join } from 'node:path';
import { DASHBOARDS } from '../../../dashboards/src/files.js';
import { COLLECTOR_CONFIG } from '../servers/collector.js';
import { PROMETHEUS_CONFIG, RULES } from '../servers/prometheus-config.js';
import type { Table } from '../table.js';
import { composeSpec } from '../tools/compose-spec.js';
import { optionalTool } from '../tools/optional-tool.js';
import { otelcol } from '../tools/otelcol.js';
import { PROMETHEUS_CHOICES, prometheusTools } from '../tools/prometheus.js';
import { runTool } from '../../support/tools/run-tool.js';

const ROOT = join(import.meta.dirname, '../../..');
const RULE_TESTS = RULES.replace(/\.yml$/, '.test.yml');
const LINTER = 'dashboard-linter';
const INSTALL_LINTER =
  'git clone https://github.com/grafana/dashboard-linter, build it with go and put it on PATH';

/** Checks each shipped file with the tool that reads it. */
export async function configuration(table: Table): Promise<void> {
  const accepts = (what: string, program: string, args: readonly string[]): Promise<boolean> =>
    table.works(what, async () => {
      await runTool(program, args, { cwd: ROOT });
      return 'accepted';
    });

  await accepts('otel-collector.yaml, by the collector', await otelcol(), [
    'validate',
    '--config',
    COLLECTOR_CONFIG,
  ]);
  for (const choice of PROMETHEUS_CHOICES) {
    const { promtool, version } = await prometheusTools(choice);
    const by = `, by promtool ${version}`;
    await accepts(`dashboards/stack/prometheus.yml${by}`, promtool, ['check', 'config', PROMETHEUS_CONFIG]);
    await accepts(`the rules${by}`, promtool, ['check', 'rules', RULES]);
    await accepts(`the rules' unit tests${by}`, promtool, ['test', 'rules', RULE_TESTS]);
  }
  await accepts('docker-compose.yml, by the compose library', await composeSpec(), ['docker-compose.yml']);
  await lint(table, accepts);
}

// The linter's module is not available from every proxy; unit tests of the dashboards check its rules too.
async function lint(
  table: Table,
  accepts: (what: string, program: string, args: readonly string[]) => Promise<boolean>,
): Promise<void> {
  const linter = await optionalTool(table, LINTER, INSTALL_LINTER);
  if (linter === undefined) return;
  for (const { board } of DASHBOARDS) {
    const name = `dashboards/${board.uid}.json`;
    await accepts(`${name}, by ${LINTER}`, linter, ['lint', '--strict', name]);
  }
}

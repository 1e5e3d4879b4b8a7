import { goProgram } from '../../support/tools/go.js';
import { findTool, runTool } from '../../support/tools/run-tool.js';

const INSTALL = 'apt-get install -y prometheus, or put that of https://prometheus.io/download on PATH';
/** The version in the image of docker-compose.yml, and the version of the corresponding Go module. */
const VERSION = '3.15.0';
const MODULE_VERSION = 'v0.315.0';

/**
 * Which Prometheus to use: the one on PATH, for example the distribution's, or that of docker-compose.yml, built from
 * Go modules.
 */
export const PROMETHEUS_CHOICES = ['installed', 'built'] as const;
export type PrometheusChoice = (typeof PROMETHEUS_CHOICES)[number];

/** A Prometheus and its promtool. */
export interface PrometheusTools {
  readonly prometheus: string;
  readonly promtool: string;
  /** As it reports it, for example `2.42.0`. */
  readonly version: string;
}

/** Finds or builds Prometheus and promtool. */
export async function prometheusTools(choice: PrometheusChoice): Promise<PrometheusTools> {
  const [prometheus, promtool] =
    choice === 'built'
      ? [await built('prometheus'), await built('promtool')]
      : [await findTool('prometheus', INSTALL), await findTool('promtool', INSTALL)];
  const said = await runTool(prometheus, ['--version']);
  return { prometheus, promtool, version: /version ([^ +]+)/.exec(said)?.[1] ?? said };
}

// Without the web interface, and without service discovery, which is most of the code to compile.
async function built(name: string): Promise<string> {
  return await goProgram({
    name,
    module: 'github.com/prometheus/prometheus',
    version: MODULE_VERSION,
    folder: `cmd/${name}`,
    flags: [
      '-tags=remove_all_sd',
      `-ldflags=-s -w -X github.com/prometheus/common/version.Version=${VERSION}`,
    ],
  });
}

import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePorts } from '../../support/free-ports.js';
import { answers, ServerProcess } from '../../support/server-process.js';
import { otelcol } from '../tools/otelcol.js';

const CONFIG = join(import.meta.dirname, 'live-check.yaml');
const REGISTRY = join(import.meta.dirname, '../../../docs/registry');
/** A folder with the model of the semantic conventions, for a machine on which weaver cannot download it. */
const MODEL = process.env['SEMCONV_MODEL'];

/** One complaint of weaver about a metric, a span or an attribute. */
export interface Finding {
  readonly id: string;
  readonly level: 'violation' | 'improvement' | 'information';
  readonly message: string;
  readonly signal_type?: string | null;
}

/** The report of a live check. */
export interface LiveCheckReport {
  readonly findings: readonly Finding[];
  /** How often each metric of the registry and of its dependencies was received. */
  readonly metrics: Readonly<Record<string, number>>;
}

/** `weaver registry live-check` with the generated registry, and a collector that feeds it. */
export class LiveCheck implements AsyncDisposable {
  /** The value of OTEL_EXPORTER_OTLP_ENDPOINT for an application. */
  readonly otlpUrl: string;
  readonly #adminUrl: string;
  readonly #processes: readonly ServerProcess[];

  private constructor(otlpUrl: string, adminUrl: string, processes: readonly ServerProcess[]) {
    this.otlpUrl = otlpUrl;
    this.#adminUrl = adminUrl;
    this.#processes = processes;
  }

  /** Starts both; `folder` holds a copy of the registry if its dependency comes from another place. */
  static async start(weaver: string, folder: string): Promise<LiveCheck> {
    const collector = await otelcol();
    const [grpc, admin, http, health] = (await freePorts(4)) as [number, number, number, number];
    const checker = new ServerProcess('weaver', {
      program: weaver,
      args: [
        ...['registry', 'live-check', '--registry', await registryFolder(folder)],
        ...['--otlp-grpc-address', '127.0.0.1', '--otlp-grpc-port', String(grpc)],
        ...['--admin-port', String(admin), '--inactivity-timeout', '600'],
        ...['--format', 'json', '--output', 'http', '--no-stream'],
      ],
    });
    const forwarder = new ServerProcess('collector before weaver', {
      program: collector,
      args: ['--config', CONFIG],
      env: {
        OTLP_ADDRESS: `127.0.0.1:${http}`,
        WEAVER_ADDRESS: `127.0.0.1:${grpc}`,
        HEALTH_ADDRESS: `127.0.0.1:${health}`,
      },
    });
    const check = new LiveCheck(`http://127.0.0.1:${http}`, `http://127.0.0.1:${admin}`, [
      forwarder,
      checker,
    ]);
    try {
      await checker.until(() => answers(`http://127.0.0.1:${admin}/health`));
      await forwarder.until(() => answers(`http://127.0.0.1:${health}`));
      return check;
    } catch (error) {
      await check[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Ends the check and returns its report. */
  async report(): Promise<LiveCheckReport> {
    const response = await fetch(`${this.#adminUrl}/stop`, { method: 'POST' });
    const report = (await response.json()) as {
      readonly samples: unknown;
      readonly statistics: { readonly seen_registry_metrics: Record<string, number> };
    };
    return { findings: findingsIn(report.samples), metrics: report.statistics.seen_registry_metrics };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const process of this.#processes) await process.stop();
  }
}

async function registryFolder(folder: string): Promise<string> {
  if (MODEL === undefined) return REGISTRY;
  const copy = join(folder, 'registry');
  await cp(REGISTRY, copy, { recursive: true });
  const manifest = join(copy, 'manifest.yaml');
  const text = await readFile(manifest, 'utf8');
  await writeFile(manifest, text.replace(/registry_path: .*/, `registry_path: ${MODEL}`));
  return copy;
}

/** The findings at every level of the samples. */
function findingsIn(value: unknown): Finding[] {
  if (Array.isArray(value)) return value.flatMap(findingsIn);
  if (typeof value !== 'object' || value === null) return [];
  const { all_advice: own } = value as { readonly all_advice?: readonly Finding[] };
  return own === undefined ? Object.values(value).flatMap(findingsIn) : [...own];
}

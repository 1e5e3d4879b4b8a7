import { COMMON, flag, parse, text, UsageError, wholeNumber } from '../cli/options.js';
import type { Selection } from './reading.js';

/** The parsed command line. */
export interface Arguments {
  /** The endpoint; `/metrics` if no path is given. */
  readonly url: URL;
  readonly selection: Selection;
  /** `table` or `json` for a single reading; otherwise the live view. */
  readonly print: 'table' | 'json' | undefined;
  /** The page's port; undefined for the default or the next free one. */
  readonly port: number | undefined;
  readonly intervalMs: number;
}

/** The page's default port: the one after that of Prometheus exporters. */
export const DEFAULT_PORT = 9465;
const MAX_PORT = 65_535;
const MAX_INTERVAL_S = 60;

/** What `--help` prints. */
export const USAGE = `usage: pgauge watch <url> [options]

Shows the pools of a running process from its Prometheus endpoint: in the
terminal, and as charts on a page that only this machine can open.

  <url>               such as http://127.0.0.1:9464/metrics, of the process or
                      of an OpenTelemetry collector; /metrics is the default
                      path
  --pool <name>       only pools of this name
  --instance <name>   only this process, by the label service_instance_id,
                      exported_instance or instance
  --once              print one reading as a table and end
  --json              print one reading as JSON and end
  --port <n>          port of the page on 127.0.0.1, 0 for any free one;
                      default ${DEFAULT_PORT}, or the next one that is free
  --interval <seconds> between two readings, default 1
  --help, --version

Exit code: 0 a reading was printed; 1 the endpoint cannot be read, has no
series of pgauge, or has not answered for half a minute; 2 wrong usage; 130
(129, 143) ended by SIGINT (SIGHUP, SIGTERM).
`;

/** Reads the command line after the command; throws UsageError. */
export function readArguments(given: readonly string[]): Arguments | 'help' | 'version' {
  const { values, positionals } = parse(given, {
    ...{ pool: text, instance: text, port: text, interval: text },
    ...{ once: flag, json: flag, ...COMMON },
  });
  if (values.help) return 'help';
  if (values.version) return 'version';
  const [url, ...rest] = positionals;
  if (url === undefined) throw new UsageError('a URL is missing, such as http://127.0.0.1:9464/metrics');
  if (rest.length > 0) throw new UsageError('watch takes one URL');
  return {
    url: endpoint(url),
    selection: { pool: values.pool, instance: values.instance },
    print: values.json ? 'json' : values.once ? 'table' : undefined,
    port: wholeNumber('port', values.port, 0, MAX_PORT),
    intervalMs: (wholeNumber('interval', values.interval, 1, MAX_INTERVAL_S) ?? 1) * 1_000,
  };
}

/** Errors do not quote the endpoint, because it may contain a password. */
function endpoint(given: string): URL {
  const whole = /^[a-z][a-z0-9+.-]*:\/\//i.test(given) ? given : `http://${given}`;
  if (!URL.canParse(whole)) throw new UsageError('the URL cannot be read');
  const url = new URL(whole);
  if (!['http:', 'https:'].includes(url.protocol))
    throw new UsageError('the URL must begin with http:// or https://');
  if (url.username !== '' || url.password !== '')
    throw new UsageError('the URL must have no user and no password');
  if (url.pathname === '/') url.pathname = '/metrics';
  url.hash = '';
  return url;
}

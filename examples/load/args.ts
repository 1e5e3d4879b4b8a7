import { parseArgs } from 'node:util';
import { AUTH_NAMES_HELP, DEFAULT_AUTH, readAuth } from '../demo/auth-option.js';
import type { SourceName } from '../demo/sources/names.js';
import { understood, UsageError } from '../demo/usage-error.js';

/** The instrumentations that can measure the queries. */
const QUERY_SOURCES = ['pgauge', 'instrumentation-pg'] as const;

/** One of {@link QUERY_SOURCES}. */
export type QuerySource = (typeof QUERY_SOURCES)[number];

/** The parsed command line. */
export interface Arguments {
  readonly poolName: string;
  /** The backend that the pool logs in with. */
  readonly auth: SourceName;
  /** Another name of the server, so that the pool has two hosts. */
  readonly secondHost: string | undefined;
  readonly maxConns: number;
  readonly minConns: number;
  readonly clients: number;
  readonly maxLifetimeMs: number;
  readonly acquireTimeoutMs: number;
  readonly maxPending: number;
  /** Maximum number of concurrent queries on one connection; 0 turns pipelining off. */
  readonly pipeliningDepth: number;
  /** The instrumentation that measures the queries. */
  readonly queries: QuerySource;
  /** Port of `/metrics`, 0 for any free one. */
  readonly metricsPort: number;
  /** Port of the control server, 0 for any free one; undefined for none. */
  readonly controlPort: number | undefined;
  readonly help: boolean;
}

/** The output of `--help`. */
export const USAGE = `usage: npm run demo:load -- [options]
  --pool-name <name>       default load
  --auth <name>            the backend of dynamicAuth that the pool logs in with, default ${DEFAULT_AUTH}
  --second-host <name>     another name of the same server: the pool has two hosts
  --max-conns <n>          default 10
  --min-conns <n>          default 2
  --clients <n>            workers that send requests, default 6; every fourth one writes
  --max-lifetime <s>       seconds a connection lives, default 60, so that there are tokens to look at
  --acquire-timeout <s>    seconds a request waits for a connection, default 5
  --max-pending <n>        requests that may wait for a connection, default 0, any number
  --pipelining <depth>     queries that share a connection, default 0, none; the pool has no hooks and time limits then
  --queries <who>          measures the queries: pgauge, the default, or instrumentation-pg
  --metrics-port <n>       port of http://127.0.0.1:<n>/metrics, default 0, any free one
  --control-port <n>       port of the control server on 127.0.0.1, 0 for any free one; default none
  --help

It runs until SIGTERM or SIGINT, and prints one line of JSON when it is ready.

${AUTH_NAMES_HELP}

Environment
  OTEL_EXPORTER_OTLP_ENDPOINT         collector that metrics and traces go to (OTLP over HTTP)
  OTEL_METRIC_EXPORT_INTERVAL         milliseconds between exports of metrics, default 5000
  OTEL_SERVICE_NAME, OTEL_RESOURCE_ATTRIBUTES   service.name and service.instance.id
  LOCAL_RDS_CONNECTION                file with host, port, user, database, region and caFile of a running local-rds;
                                      without it, and for other backends than ${DEFAULT_AUTH}, the program starts one
                                      of its own, with the stand-in beside it
  AWS_CONTAINER_CREDENTIALS_FULL_URI or AWS_EC2_METADATA_SERVICE_ENDPOINT   where that local-rds' keys come from; without
                                      them the file's imdsEndpoint or credentialsFile serve

Control server
  GET /stat    what the application itself knows: pool.stat(), events counted, requests made
  POST /load   {"clients":6,"thinkMs":50,"queryMs":10,"holdMs":0,"discard":0,"failing":0,"timingOut":0,
               "aborting":0,"leak":0}, any of them: workers; milliseconds between requests, in the server, and with the
               connection kept after it; parts of the requests, 0 to 1, that close their connection, or send a query that
               fails, that exceeds its time limit, or that is aborted; connections acquired and not given back
`;

const text = { type: 'string' } as const;

/** Parses the command line; throws `UsageError`. */
export function readArguments(given: readonly string[]): Arguments {
  const values = parse(given);
  const number = (
    name: Exclude<keyof typeof values, 'help' | 'auth' | 'queries' | 'second-host'>,
    otherwise: number,
  ): number => wholeNumber(name, values[name] ?? String(otherwise));
  return {
    poolName: values['pool-name'] ?? 'load',
    auth: readAuth(values.auth),
    secondHost: values['second-host'],
    maxConns: number('max-conns', 10),
    minConns: number('min-conns', 2),
    clients: number('clients', 6),
    maxLifetimeMs: number('max-lifetime', 60) * 1_000,
    acquireTimeoutMs: number('acquire-timeout', 5) * 1_000,
    maxPending: number('max-pending', 0),
    pipeliningDepth: number('pipelining', 0),
    queries: querySource(values.queries ?? 'pgauge'),
    metricsPort: number('metrics-port', 0),
    controlPort: values['control-port'] === undefined ? undefined : number('control-port', 0),
    help: values.help ?? false,
  };
}

function parse(given: readonly string[]) {
  const options = {
    ...{ 'pool-name': text, 'max-conns': text, 'min-conns': text, clients: text, 'max-lifetime': text },
    ...{
      queries: text,
      'acquire-timeout': text,
      'max-pending': text,
      pipelining: text,
      'metrics-port': text,
      'control-port': text,
    },
    ...{ 'second-host': text, auth: text },
    help: { type: 'boolean' },
  } as const;
  return understood(() => parseArgs({ args: [...given], options })).values;
}

function querySource(given: string): QuerySource {
  const source = QUERY_SOURCES.find((one) => one === given);
  if (source === undefined) throw new UsageError(`--queries must be one of ${QUERY_SOURCES.join(', ')}`);
  return source;
}

function wholeNumber(name: string, given: string): number {
  if (/^\d{1,6}$/.test(given)) return Number(given);
  throw new UsageError(`--${name} must be a whole number`);
}

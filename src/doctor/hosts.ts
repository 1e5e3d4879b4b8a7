import { TARGET_SESSION_ATTRS, type TargetSessionAttrs } from '../settings/hosts.js';
import { UsageError } from '../cli/options.js';
import type { Arguments } from './arguments.js';
import { refusedHost } from './settings.js';

/** The settings of one host from flags and environment. */
export interface HostRequest {
  readonly given: Arguments;
  readonly env: NodeJS.ProcessEnv;
}

/** The hosts to check, in their order. */
export interface HostRequests {
  readonly each: readonly HostRequest[];
  readonly wanted: TargetSessionAttrs;
  /** Whether there are several hosts, or a wanted kind was given. */
  readonly kindIsJudged: boolean;
}

/** Splits lists of hosts and ports by libpq's rules; throws UsageError. */
export function hostRequests(given: Arguments, env: NodeJS.ProcessEnv): HostRequests {
  const host = given.host ?? env['PGHOST'] ?? '';
  const hosts = listOf(host);
  const ports = listOf(given.port ?? env['PGPORT'] ?? '');
  const kind = given.targetSessionAttrs ?? (env['PGTARGETSESSIONATTRS'] || undefined);
  const wanted = kindOf(kind ?? 'any');
  if (hosts.length === 1 && ports.length === 1) {
    return { each: [{ given, env }], wanted, kindIsJudged: kind !== undefined };
  }
  refuseMismatch(hosts, ports, given);
  const each = hosts.map((one, at) => {
    const port = ports[at] ?? ports[0];
    const named = { ...env, PGHOST: one, PGPORT: port };
    return {
      given: {
        ...given,
        host: given.host === undefined ? undefined : one,
        port: given.port === undefined ? undefined : port,
      },
      env: named,
    };
  });
  return { each, wanted, kindIsJudged: true };
}

/** A connection string in place of hosts is not split, so that the check refuses it. */
function listOf(text: string): readonly string[] {
  return refusedHost(text) ? [text] : text.split(',');
}

function kindOf(text: string): TargetSessionAttrs {
  const kind = TARGET_SESSION_ATTRS.find((one) => one === text);
  if (kind !== undefined) return kind;
  throw new UsageError(
    `--target-session-attrs (PGTARGETSESSIONATTRS) must be one of ${TARGET_SESSION_ATTRS.join(', ')}`,
  );
}

function refuseMismatch(hosts: readonly string[], ports: readonly string[], given: Arguments): void {
  if (hosts.includes('')) throw new UsageError('the list of hosts has an empty entry');
  if (ports.length > 1 && ports.length !== hosts.length) {
    throw new UsageError(
      `there are ${hosts.length} hosts and ${ports.length} ports: give one port, or one for each host`,
    );
  }
  const places = hosts.map((host, at) => `${host}:${ports[at] ?? ports[0] ?? ''}`);
  if (new Set(places).size < places.length) throw new UsageError('the list of hosts names one of them twice');
  if (given.signHost !== undefined) throw new UsageError('--sign-host goes with one host');
}

import { wrongKind } from '../connection/hosts/server-kind.js';
import { placeName, type TargetSessionAttrs } from '../settings/hosts.js';
import { failed, ok, warning, type Facts, type Outcome, type Report } from './report.js';

/** The host that a pool would use. */
export interface Choice {
  readonly wanted: TargetSessionAttrs;
  /** Its index in the list; undefined if none fits. */
  readonly at: number | undefined;
  readonly outcome: Outcome;
}

/** The kind of one host's server, as found by a login. */
export interface HostKind {
  readonly standby: boolean;
  readonly readOnly: boolean;
}

/** The kind of a host's server; undefined without a login. */
export function hostKind({ steps }: Report): HostKind | undefined {
  const { in_recovery: standby, default_read_only: readOnly } =
    steps.find(({ id }) => id === 'server')?.facts ?? {};
  return typeof standby === 'boolean' ? { standby, readOnly: standby || readOnly === true } : undefined;
}

/** Finds the host that a pool uses first: the first of the wanted kind, or any if a standby is only preferred. */
export function choose(reports: readonly Report[], wanted: TargetSessionAttrs): Choice {
  const hosts = reports.map((report) => ({ place: targetName(report.target), kind: hostKind(report) }));
  const fits = hosts.findIndex(({ kind }) => kind !== undefined && wrongKind(kind, wanted) === undefined);
  const any = hosts.findIndex(({ kind }) => kind !== undefined);
  const found = fits >= 0 ? fits : wanted === 'prefer-standby' ? any : -1;
  const told = hosts.map(({ place, kind }) => `${place} is ${described(kind)}`).join(', ');
  const { place, kind } = hosts[found] ?? {};
  if (place === undefined || kind === undefined)
    return { wanted, at: undefined, outcome: none(told, any, wanted) };
  const text = `${told}; a pool uses ${place}`;
  const outcome =
    wanted === 'any' && kind.standby
      ? warning(
          'standby',
          text,
          'it takes no writes: to write give --target-session-attrs primary, and the pool targetSessionAttrs',
        )
      : ok(text);
  return { wanted, at: found, outcome };
}

function none(told: string, any: number, wanted: TargetSessionAttrs): Outcome {
  return failed(
    'no_wanted_host',
    `no host can be used with targetSessionAttrs ${wanted}: ${told}`,
    any < 0
      ? 'mend what failed above'
      : 'see that the list names every server, and that the cluster has one of that kind at present',
  );
}

function described(kind: HostKind | undefined): string {
  if (kind === undefined) return 'not logged in to';
  if (kind.standby) return 'a standby';
  return kind.readOnly ? 'a primary, read-only by default' : 'a primary';
}

/** A host of a report's target with its port. */
export function targetName(target: Facts): string {
  return placeName({ host: String(target['host']), port: target['port'] });
}

import type { DynamicAuthBackend } from '../../../src/auth/backends.js';
import type { LocalRds } from '../../../local-rds/index.js';
import type { DynamicAuthConfig } from '../../../src/index.js';

/** What can be wrong with the source of a backend's passwords. */
export const FAULTS = [
  'down',
  'hang',
  'late',
  'empty',
  'no text',
  'html',
  'binary',
  'huge',
  'expired',
  'of another user',
] as const;
export type SourceFault = (typeof FAULTS)[number];

/** Where a fault shows: the attempt fails before anything is dialled, with a text that matches; or the server rejects the login. */
export type FaultOutcome = RegExp | 'rejected';

/** A source of passwords for one role of a running local-rds; disposing ends it. */
export interface PasswordSource extends AsyncDisposable {
  readonly user: string;
  readonly dynamicAuth: DynamicAuthConfig;
  /** Begins a fault; undefined ends the one there is. */
  set(fault: SourceFault | undefined): Promise<void> | void;
  /** Makes the server refuse everything handed out so far; what the source gives from now on is accepted. */
  rotate(): Promise<void> | void;
  /** All passwords, tokens and keys that the source has handed out. */
  secrets(): readonly string[];
  /** How often the source was asked for what several logins share. */
  fetches(): number;
}

/** One row of the suite that holds for every backend. */
export interface BackendCase {
  readonly backend: DynamicAuthBackend;
  /** Its name in telemetry and errors; default that of the backend. */
  readonly provider?: string;
  /** Whether something is fetched once and serves several logins. */
  readonly fetches: boolean;
  /** Fetches that a first login takes, where there are any; default 1. */
  readonly fetchesPerLogin?: number;
  /** Whether what is fetched has a known end; default true. */
  readonly expires?: boolean;
  /** The SQLSTATE of a rejected login; default class 28. */
  readonly rejection?: RegExp;
  /** The faults that this source can have, and where they show. */
  readonly faults: Readonly<Partial<Record<SourceFault, FaultOutcome>>>;
  /** A part of the hint in the log when the server rejects its login. */
  readonly hint: RegExp;
  /** Settings that are refused, with the text of the error after the path of the backend's settings. */
  readonly refusedSettings: readonly (readonly [settings: unknown, message: string])[];
  /** The packages it needs; an application without them is told the command that installs them. */
  readonly packages: readonly string[];
  /** Settings for which the packages are missed. */
  readonly settings?: object;
  /** Starts a source of its own, with a role that logs in with its passwords. `home` is an empty folder. */
  start(rds: LocalRds, home: string): Promise<PasswordSource>;
}

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

/** How a fault surfaces: an error that matches, before anything is dialled; or the server rejects the login. */
export type FaultOutcome = RegExp | 'rejected';

/** A source of passwords for one role of a running local-rds; disposing it stops it. */
export interface PasswordSource extends AsyncDisposable {
  readonly user: string;
  readonly dynamicAuth: DynamicAuthConfig;
  /** Begins a fault; undefined ends the current one. */
  set(fault: SourceFault | undefined): Promise<void> | void;
  /** Makes the server refuse all passwords issued so far; those that the source issues from now on are accepted. */
  rotate(): Promise<void> | void;
  /** All passwords, tokens and keys that the source has handed out. */
  secrets(): readonly string[];
  /** How many times the source was asked for what several logins share. */
  fetches(): number;
}

/** One row of the test suite that every backend must pass. */
export interface BackendCase {
  readonly backend: DynamicAuthBackend;
  /** Its name in telemetry and errors; default the backend's name. */
  readonly provider?: string;
  /** Whether it fetches something once for several logins. */
  readonly fetches: boolean;
  /** Fetches that a first login takes, if it fetches; default 1. */
  readonly fetchesPerLogin?: number;
  /** Whether what it fetches has a known expiry; default true. */
  readonly expires?: boolean;
  /** The SQLSTATE of a rejected login; default class 28. */
  readonly rejection?: RegExp;
  /** The faults that this source can have, and how each surfaces. */
  readonly faults: Readonly<Partial<Record<SourceFault, FaultOutcome>>>;
  /** Part of the hint in the log when the server rejects its login. */
  readonly hint: RegExp;
  /** Settings that are refused, with the text of the error after the path of the backend's settings. */
  readonly refusedSettings: readonly (readonly [settings: unknown, message: string])[];
  /** The packages it needs; without them, an application gets an error with the command that installs them. */
  readonly packages: readonly string[];
  /** Settings that require the packages. */
  readonly settings?: object;
  /** Starts a separate source, with a role that logs in with its passwords. `home` is an empty folder. */
  start(rds: LocalRds, home: string): Promise<PasswordSource>;
}

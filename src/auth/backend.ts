import type { IssuedLogin, TokenSource } from '../hooks.js';
import type { OptionalPackage } from './packages.js';

/** Where and as whom one login takes place. */
export interface LoginTarget {
  /** Host name or address, an IPv6 address with or without brackets. */
  readonly host: string;
  /** TCP port, 1 to 65535. */
  readonly port: number;
  /** Database role to log in as. */
  readonly user: string;
}

/** What an issuer is told of the call. */
export interface IssueContext {
  /** Aborted when nothing waits for the answer any more. */
  readonly signal: AbortSignal;
}

/** An answer of an issuer. */
export interface HeldLogin extends IssuedLogin {
  /** How long an answer that has no known end is reused, in milliseconds; it is then renewed, and stays in use where that fails. */
  readonly reuseMs?: number | undefined;
}

/** Issues logins for one configuration. */
export interface LoginIssuer {
  /** Identifies the issuer in telemetry; its `hint` is logged when the server rejects a login with one of its passwords. */
  readonly source: TokenSource;
  /** Whether its answers are reused until they end; unset: those that say when they end are. */
  readonly reused?: boolean;
  /** What to check first when the server rejects a login at this target: the hint of `source` with the facts at hand, never a secret; default that of `source`. */
  hint?(target: LoginTarget): string;
  /** The region that serves a login at this target, for telemetry; default that of `source`. */
  region?(target: LoginTarget): string | undefined;
  /** Throws AuthError for a host of the config at which it can never issue a password; default: it accepts every host. */
  checkHost?(host: string): void;
  /** Issues a password for a login at the target; throws AuthError, also when the signal is aborted. */
  issue(target: LoginTarget, context: IssueContext): Promise<string | HeldLogin>;
}

/** The value under a backend's name in `dynamicAuth`: a copy in which nothing has been checked yet. */
export type BackendSettings = Readonly<Record<string, unknown>>;

/** How long connections live, in milliseconds; the jitter is added at random, so that they do not end together. */
export interface Lifetime {
  readonly ms: number;
  readonly jitterMs: number;
}

/** One method of dynamic authentication: a file or folder here, and one line in `backends.ts`. */
export interface AuthBackend<Settings extends object = object> {
  /** Its key in `dynamicAuth`. */
  readonly name: string;
  /** Its name in the doctor's output: `RDS IAM`. */
  readonly label: string;
  /** Whether the message for a `dynamicAuth` without a backend names it as an example. */
  readonly example?: boolean;
  /** How long a connection lives where the config does not say, and the jitter of that where the options do not; default that of every pool. */
  readonly defaultLifetime?: Lifetime;
  /** A copy of the settings as they were given; default their own enumerable fields. */
  read?(settings: object, path: string): BackendSettings;
  /** The provider's name in telemetry and errors; default the backend's. */
  provider?(settings: Settings): string;
  /** The optional packages that these settings need. */
  packages(settings: Settings): readonly OptionalPackage[];
  /** Throws ConfigError for the first setting it refuses; `path` is where the settings stand in the config. */
  check(settings: BackendSettings, path: string): void;
  /** The text that `newAuthToken` and `newDynamicAuthFunc` put before the ConfigError of settings that lack something. */
  incomplete?(settings: BackendSettings): string | undefined;
  /** The setting that `resolve` has to find out, for messages (`region "detect"`); undefined when there is none. */
  unresolved?(settings: Settings): string | undefined;
  /** Finds out what is the same for every login, from settings that `check` has accepted; throws AuthError, also when `signal` is aborted. */
  resolve?(settings: Settings, signal: AbortSignal): Promise<Settings>;
  /** What issues logins by these settings, of which none is unresolved; throws AuthError for those it cannot use. */
  issuer(settings: Settings): LoginIssuer;
}

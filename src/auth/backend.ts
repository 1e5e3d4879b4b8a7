import type { IssuedLogin, TokenSource } from '../hooks.js';
import type { OptionalPackage } from './packages.js';

/** The server and the role of one login. */
export interface LoginTarget {
  /** Host name or address, an IPv6 address with or without brackets. */
  readonly host: string;
  /** TCP port, 1 to 65535. */
  readonly port: number;
  /** Database role to log in as. */
  readonly user: string;
}

/** The context of a call to an issuer. */
export interface IssueContext {
  /** Aborted when no caller waits for the answer any more. */
  readonly signal: AbortSignal;
}

/** An answer of an issuer. */
export interface HeldLogin extends IssuedLogin {
  /** How long an answer without an expiry is reused before it is renewed, in ms; if that fails, it stays in use. */
  readonly reuseMs?: number | undefined;
}

/** Issues logins for one configuration. */
export interface LoginIssuer {
  /** Identifies the issuer in telemetry; its `hint` is logged when the server rejects a login with one of its passwords. */
  readonly source: TokenSource;
  /** Whether its answers are reused until they expire; if unset, only answers with an expiry are. */
  readonly reused?: boolean;
  /**
   * What to check first when the server rejects a login at this target: the hint of `source` with the known facts,
   * never a secret; default the hint of `source`.
   */
  hint?(target: LoginTarget): string;
  /** The region that serves a login at this target, for telemetry; default that of `source`. */
  region?(target: LoginTarget): string | undefined;
  /** Throws AuthError for a host of the config at which it can never issue a password; default: it accepts every host. */
  checkHost?(host: string): void;
  /** Issues a password for a login at the target; throws AuthError, also when the signal is aborted. */
  issue(target: LoginTarget, context: IssueContext): Promise<string | HeldLogin>;
}

/** The value under a backend's name in `dynamicAuth`: a copy that has not been checked yet. */
export type BackendSettings = Readonly<Record<string, unknown>>;

/**
 * How long connections live, in milliseconds; a random part of the jitter is added, so that they do not end together.
 */
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
  /** Lifetime and jitter of connections if the config and the options set none; default those of every pool. */
  readonly defaultLifetime?: Lifetime;
  /** Copies the settings as given; default their own enumerable fields. */
  read?(settings: object, path: string): BackendSettings;
  /** The provider's name in telemetry and errors; default the backend's. */
  provider?(settings: Settings): string;
  /** The optional packages that these settings need. */
  packages(settings: Settings): readonly OptionalPackage[];
  /** Throws ConfigError for the first invalid setting; `path` is the path of the settings in the config. */
  check(settings: BackendSettings, path: string): void;
  /** The text that `newAuthToken` and `newDynamicAuthFunc` put before the ConfigError for incomplete settings. */
  incomplete?(settings: BackendSettings): string | undefined;
  /** The setting that `resolve` has to look up, for messages (`region "detect"`); undefined when there is none. */
  unresolved?(settings: Settings): string | undefined;
  /**
   * Looks up the settings that are the same for every login, after `check` has accepted them; throws AuthError, also
   * when `signal` is aborted.
   */
  resolve?(settings: Settings, signal: AbortSignal): Promise<Settings>;
  /** Returns the issuer for these settings, which are all resolved; throws AuthError for settings it cannot use. */
  issuer(settings: Settings): LoginIssuer;
}

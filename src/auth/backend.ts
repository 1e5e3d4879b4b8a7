import type { TokenSource } from '../hooks.js';
import type { CredentialsSource } from '../observer.js';
import type { OptionalPackage } from './packages.js';

/** What one token is issued for. */
export interface LoginTarget {
  /** Host name or address, an IPv6 address with or without brackets. */
  readonly host: string;
  /** TCP port, 1 to 65535. */
  readonly port: number;
  /** Database role to log in as. */
  readonly user: string;
}

/** Issues tokens for one configuration. */
export interface TokenIssuer {
  /** Identifies the issuer in telemetry; its `hint` is logged when the server rejects a login with one of its tokens. */
  readonly source: TokenSource;
  /** What to check first when the server rejects a token for this target: the hint of `source` with the facts at hand, never a secret; default that of `source`. */
  hint?(target: LoginTarget): string;
  /** Issues one fresh token; throws AuthError, also when `signal` is aborted. */
  issue(target: LoginTarget, signal: AbortSignal): Promise<string>;
}

/** The value under a backend's name in `dynamicAuth`: a copy in which nothing has been checked yet. */
export type BackendSettings = Readonly<Record<string, unknown>>;

/** One method of dynamic authentication: a file or folder here, and one line in `backends.ts`. */
export interface AuthBackend<Settings extends object = object> {
  /** Its key in `dynamicAuth`. */
  readonly name: string;
  /** Its name in the doctor's output: `RDS IAM`. */
  readonly label: string;
  /** The optional packages that these settings need. */
  packages(settings: Settings): readonly OptionalPackage[];
  /** Throws ConfigError for the first setting it refuses; `path` is where the settings stand in the config. */
  check(settings: BackendSettings, path: string): void;
  /** The text that `newAuthToken` and `newDynamicAuthFunc` put before the ConfigError of settings that lack something. */
  incomplete?(settings: BackendSettings): string | undefined;
  /** The setting that `resolve` has to find out, for messages (`region "detect"`); undefined when there is none. */
  unresolved?(settings: Settings): string | undefined;
  /** Finds out what is the same for every token, from settings that `check` has accepted; throws AuthError, also when `signal` is aborted. */
  resolve?(settings: Settings, signal: AbortSignal): Promise<Settings>;
  /** What issues tokens by these settings, of which none is unresolved; throws AuthError for those it cannot use. */
  issuer(settings: Settings): TokenIssuer;
  /** The credentials its tokens are made with, if it fetches any: one object per process. */
  readonly credentials?: CredentialsSource;
}

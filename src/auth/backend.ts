import type { DynamicAuthBackend } from '../settings/config.js';
import type { TokenSource } from '../hooks.js';

/** What one token is signed for. */
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
  /** What this issuer says of itself to whoever measures it. */
  readonly source: TokenSource;
  /** Issues one fresh token; throws AuthError, also when `signal` is aborted. */
  issue(target: LoginTarget, signal: AbortSignal): Promise<string>;
}

/** What stands under a backend's name in `dynamicAuth`: a frozen copy of which nothing is checked yet. */
export type BackendSettings = Readonly<Record<string, unknown>>;

/** A method of dynamic authentication: one file of this folder, and one line in the table of `index.ts`. */
export interface AuthBackend {
  /** Its key in `dynamicAuth`. */
  readonly name: DynamicAuthBackend;
  /** The optional packages that these settings need. */
  packages(settings: BackendSettings): readonly string[];
  /** Checks the settings and resolves what stays the same for every token; throws AuthError, also when `signal` is aborted. */
  prepare(settings: BackendSettings, signal: AbortSignal): Promise<TokenIssuer>;
}

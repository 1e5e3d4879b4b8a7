import type { HttpFault } from '../../../local-rds/index.js';
import type { DynamicAuthConfig } from '../../../src/index.js';

/** The source of logins for the demo's pool: a backend of `dynamicAuth` and the stand-in behind it. */
export interface LoginSource extends AsyncDisposable {
  /** A short description of the credentials. */
  readonly about: string;
  /** The `user` of the config. */
  readonly user: string;
  /** The `dynamicAuth` of the config. */
  readonly dynamicAuth: DynamicAuthConfig;
  /** The environment that points the cloud's library to the stand-in. */
  readonly env: Readonly<Record<string, string>>;
  /** Lifetime of the stand-in's answers in milliseconds. */
  readonly lifetimeMs: number;
  /** Its disturbance in the phase "slow credentials". */
  readonly trouble: Trouble;
}

/** A disturbance of a source. */
export interface Trouble {
  /** A short description. */
  readonly about: string;
  /** Whether requests may fail meanwhile; default false. */
  readonly mayFail?: boolean;
  begin(): Promise<void> | void;
  /** Whether a login was affected. */
  met(): boolean;
  end(): void;
}

/**
 * How long the server accepts credentials after their reported expiry, in milliseconds, because a login that began just
 * before it may still be in progress.
 */
export const GRACE_MS = 60_000;

/** Well below the one second after which the AWS SDK gives up on its endpoint. */
export const SLOW_MS = 400;

/** A stand-in with an HTTP interface. */
interface Service {
  set(fault: HttpFault): void;
  calls(): Readonly<Record<string, number>>;
}

/** Delays the answers of a service for paths with this prefix. */
export function slow(name: string, service: Service, path: string): Trouble {
  const asked = (): number =>
    Object.entries(service.calls())
      .filter(([call]) => call.includes(` ${path}`))
      .reduce((sum, [, count]) => sum + count, 0);
  let before = 0;
  return {
    about: `${name} takes ${SLOW_MS} ms to hand out credentials`,
    begin() {
      before = asked();
      service.set({ path, delayMs: SLOW_MS });
    },
    met: () => asked() > before,
    end: () => service.set({}),
  };
}

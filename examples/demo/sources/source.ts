import type { HttpFault } from '../../../local-rds/index.js';
import type { DynamicAuthConfig } from '../../../src/index.js';

/** Where the logins of the demo's pool come from: a backend of `dynamicAuth`, and the stand-in behind it. */
export interface LoginSource extends AsyncDisposable {
  /** What each login takes, in a few words. */
  readonly about: string;
  /** The role in the config. */
  readonly user: string;
  /** The setting of the config. */
  readonly dynamicAuth: DynamicAuthConfig;
  /** The environment that leads a library to the stand-in. */
  readonly env: Readonly<Record<string, string>>;
  /** How long the stand-in's answers last, in milliseconds. */
  readonly lifetimeMs: number;
  /** What happens to it in the phase "slow credentials". */
  readonly trouble: Trouble;
}

/** A disturbance of a source. */
export interface Trouble {
  /** What happens, in a few words. */
  readonly about: string;
  /** Whether requests may fail meanwhile; default false. */
  readonly mayFail?: boolean;
  begin(): Promise<void> | void;
  /** Whether a login has met it. */
  met(): boolean;
  end(): void;
}

/**
 * How long the server accepts a login after the end that its source told, in milliseconds: one that was taken at the last moment is
 * still on its way.
 */
export const GRACE_MS = 60_000;

/** Well below the second after which the AWS SDK gives up on its endpoint. */
export const SLOW_MS = 400;

/** A stand-in on HTTP. */
interface Service {
  set(fault: HttpFault): void;
  calls(): Readonly<Record<string, number>>;
}

/** A service that answers late at the paths with this beginning. */
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

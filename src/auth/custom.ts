import { untilAborted } from '../deadline.js';
import { AuthError, ConfigError } from '../errors.js';
import type { IssuedLogin } from '../hooks.js';
import {
  checkFlag,
  checkFunction,
  checkRequired,
  checkText,
  isObject,
  readFields,
  refuseUnknown,
} from '../settings/checks.js';
import type { AuthBackend, IssueContext, LoginTarget } from './backend.js';
import { authFailure } from './failure.js';

/** The context that a custom backend's `issue` receives. */
export interface CustomIssueContext extends IssueContext {
  /** The `settings` given next to `issue`. */
  readonly settings: object | undefined;
}

/**
 * Logs in with passwords from a function of the application, measured, limited and reused like those of any backend.
 */
export interface DynamicAuthCustom {
  /** The provider's name in telemetry and errors, up to 64 characters. */
  readonly name: string;
  /**
   * Issues a password for a login at the target. It is called for every attempt, unless its answer has an expiry:
   * such an answer serves all attempts until shortly before it expires or the server rejects a login with it. An
   * error becomes the cause of an AuthError.
   */
  issue(
    target: LoginTarget,
    context: CustomIssueContext,
  ): string | IssuedLogin | Promise<string | IssuedLogin>;
  /** Called when the server rejected a login with one of its passwords (SQLSTATE class 28); default none. */
  rejected?(): void;
  /** Passed to `issue` with each call, never logged; default none. */
  readonly settings?: object | undefined;
  /** What to check first when the server rejects a login; a text for the log, without a secret. Default none. */
  readonly hint?: string | undefined;
  /** Whether to retire connections when their password expires, for servers that then end them; default false. */
  readonly retireAtExpiry?: boolean | undefined;
}

const MOST_CHARACTERS = 64;
const SETTINGS = [
  'name',
  'issue',
  'rejected',
  'settings',
  'hint',
  'retireAtExpiry',
] as const satisfies readonly (keyof DynamicAuthCustom)[];

/** Logins with passwords from a function of the application. */
export const custom: AuthBackend<DynamicAuthCustom> = {
  name: 'custom',
  label: 'custom',

  read(settings, path) {
    // An instance of a class has its methods on its prototype, and may have own fields that are not settings.
    const fields = isInstance(settings) ? knownFields(settings) : readFields(settings, path);
    for (const [name, value] of Object.entries(fields)) {
      if (typeof value === 'function') fields[name] = (value as () => unknown).bind(settings);
    }
    return fields;
  },

  provider: ({ name }) => name,
  packages: () => [],

  check({ name, issue, rejected, settings, hint, retireAtExpiry, ...others }, path) {
    checkRequired(name, `${path}.name`);
    checkText(name, `${path}.name`);
    if (name.length > MOST_CHARACTERS) {
      throw new ConfigError(`${path}.name must not have more than ${MOST_CHARACTERS} characters`);
    }
    if (issue === undefined) throw new ConfigError(`${path}.issue is required`);
    checkFunction(issue, `${path}.issue`);
    checkFunction(rejected, `${path}.rejected`);
    if (settings !== undefined && !isObject(settings)) {
      throw new ConfigError(`${path}.settings must be an object`);
    }
    checkText(hint, `${path}.hint`);
    checkFlag(retireAtExpiry, `${path}.retireAtExpiry`);
    refuseUnknown(others, [], path);
  },

  issuer({ name, issue, rejected, settings, hint, retireAtExpiry = false }) {
    return {
      source: Object.freeze({
        provider: name,
        ...(hint !== undefined && { hint }),
        ...(rejected && { rejected }),
        retireAtExpiry,
      }),
      async issue(target, { signal }) {
        try {
          signal.throwIfAborted();
          return await untilAborted((async () => issue(target, { signal, settings }))(), signal);
        } catch (cause) {
          throw cause instanceof AuthError ? cause : authFailure(name, 'failed to issue a password', cause);
        }
      },
    };
  },
};

function isInstance(value: object): boolean {
  return ![Object.prototype, null].includes(Object.getPrototypeOf(value) as object | null);
}

/** The settings that an object has or inherits, unless it inherits them from a polluted Object.prototype. */
function knownFields(instance: object): Record<string, unknown> {
  const fields = Object.create(null) as Record<string, unknown>;
  for (const name of SETTINGS) {
    const value = (instance as Record<string, unknown>)[name] ?? undefined;
    const everywhere = (Object.prototype as Record<string, unknown>)[name];
    if (value !== undefined && value !== everywhere) fields[name] = value;
  }
  return fields;
}

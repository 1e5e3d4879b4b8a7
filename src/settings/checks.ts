import { MAX_TIMER_MS } from '../deadline.js';
import { ConfigError } from '../errors.js';

/** The fields of `T` as they were given: nothing is known of their types yet; `null` has become `undefined`. */
export type Unchecked<T> = { -readonly [K in keyof T]?: unknown };

/** Whether a value has fields at all. */
export function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * A copy of an object's own enumerable fields, each read once; throws ConfigError when there is no object.
 * It has no prototype, so that nothing inherited shows through, however Object.prototype was polluted.
 */
export function readFields(value: unknown, name: string): Record<string, unknown> {
  if (!isObject(value)) throw new ConfigError(`${name} must be an object`);
  const fields = Object.create(null) as Record<string, unknown>;
  for (const [key, field] of Object.entries(value) as [string, unknown][]) {
    // JSON.parse makes an own field of it; no field of ours has that name.
    if (key !== '__proto__') fields[key] = field ?? undefined;
  }
  return fields;
}

/** Refuses fields that nobody reads: most are misspelt. */
export function refuseUnknown(fields: object, known: readonly string[], name: string): void {
  for (const key of Object.keys(fields)) {
    if (!known.includes(key)) throw new ConfigError(`unknown key ${JSON.stringify(key)} in ${name}`);
  }
}

/** Refuses what is unset, empty or not a text. */
export function checkRequired(value: unknown, name: string): asserts value is string {
  if (value === undefined || value === '') throw new ConfigError(`${name} is required`);
  if (typeof value !== 'string') throw new ConfigError(`${name} must be a string`);
}

/** Refuses what is set and is not a text that can be sent to a server: another type, a control character, half a character. */
export function checkText(value: unknown, name: string): asserts value is string | undefined {
  if (value === undefined) return;
  if (typeof value !== 'string') throw new ConfigError(`${name} must be a string`);
  if (/\p{Cc}/u.test(value)) throw new ConfigError(`${name} must not contain control characters`);
  if (/\p{Cs}/u.test(value)) throw new ConfigError(`${name} must be well-formed Unicode`);
}

/** Refuses what is neither unset nor a whole number from `least` to 2^31-1. */
export function checkWhole(value: unknown, name: string, least = 0): asserts value is number | undefined {
  if (value === undefined) return;
  if (!Number.isInteger(value) || (value as number) < least || (value as number) > MAX_TIMER_MS) {
    throw new ConfigError(`${name} must be a whole number from ${least} to ${MAX_TIMER_MS}`);
  }
}

/** Refuses what is neither unset nor a number of milliseconds that a timer keeps. */
export function checkMs(value: unknown, name: string): asserts value is number | undefined {
  if (value === undefined) return;
  if (typeof value !== 'number' || !(value >= 0 && value <= MAX_TIMER_MS)) {
    throw new ConfigError(`${name} must be a number of milliseconds from 0 to ${MAX_TIMER_MS}`);
  }
}

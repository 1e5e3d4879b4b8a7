import { MAX_TIMER_MS } from '../deadline.js';
import { ConfigError } from '../errors.js';

/** The fields of `T` as given, with `null` replaced by `undefined`: their types are not checked yet. */
export type Unchecked<T> = { -readonly [K in keyof T]?: unknown };

/** Throws ConfigError unless `value` is unset or a `T`; the error calls the value `name`. */
type Assertion<T> = (value: unknown, name: string) => asserts value is T | undefined;

/**
 * Throws ConfigError unless the value of a field can be used; the error calls the field `name`. Returns the value in
 * force, which is the default when the field is unset; a check that only refuses values returns nothing.
 */
export type Check<T = unknown> = (value: unknown, name: string) => T;

/** A check for each field of `T`, in the order in which violations are reported. */
export type Checks<T> = { readonly [K in keyof T]-?: Check };

/** The settings that a table of checks returns. */
export type Checked<Table> = { readonly [K in keyof Table]: Table[K] extends Check<infer T> ? T : never };

/**
 * Runs the check of each field and returns the values in force. An error calls a field by its name, after `prefix`.
 * `order` names the fields of the table in the order in which they are checked; default the table's.
 */
export function runChecks<Table extends { readonly [K in keyof Table]: Check }>(
  table: Table,
  fields: { readonly [K in keyof Table]?: unknown },
  prefix = '',
  order = Object.keys(table),
): Checked<Table> {
  const values: Partial<Record<keyof Table, unknown>> = {};
  for (const name of order as (string & keyof Table)[]) {
    values[name] = table[name](fields[name], prefix + name);
  }
  return values as Checked<Table>;
}

/** Whether a value is an object, and not null or an array. */
export function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * A copy of an object's own enumerable fields, each read once; throws ConfigError when `value` is not an object.
 * The copy has no prototype, so that a polluted Object.prototype adds no fields.
 */
export function readFields(value: unknown, name: string): Record<string, unknown> {
  if (!isObject(value)) throw new ConfigError(`${name} must be an object`);
  const fields = Object.create(null) as Record<string, unknown>;
  for (const [key, field] of Object.entries(value) as [string, unknown][]) {
    // JSON.parse can create an own field of this name, which is not the name of any setting.
    if (key !== '__proto__') fields[key] = field ?? undefined;
  }
  return fields;
}

/** A frozen copy of the fields that are set, without a prototype. */
export function freezeSetFields(fields: object): object {
  const set = Object.entries(fields).filter(([, value]) => value !== undefined);
  return Object.freeze(Object.assign(Object.create(null) as object, Object.fromEntries(set)));
}

/** Refuses unknown fields, most of which are misspelt. */
export function refuseUnknown(fields: object, known: readonly string[], name: string): void {
  for (const key of Object.keys(fields)) {
    if (!known.includes(key)) throw new ConfigError(`unknown key ${JSON.stringify(key)} in ${name}`);
  }
}

/** Refuses a value that is unset, empty or not a string. */
export function checkRequired(value: unknown, name: string): asserts value is string {
  if (value === undefined || value === '') throw new ConfigError(`${name} is required`);
  if (typeof value !== 'string') throw new ConfigError(`${name} must be a string`);
}

/** Refuses a value that is set and cannot be sent to a server as text: another type, a control character, a lone surrogate. */
export function checkText(value: unknown, name: string): asserts value is string | undefined {
  if (value === undefined) return;
  if (typeof value !== 'string') throw new ConfigError(`${name} must be a string`);
  if (/\p{Cc}/u.test(value)) throw new ConfigError(`${name} must not contain control characters`);
  if (/\p{Cs}/u.test(value)) throw new ConfigError(`${name} must be well-formed Unicode`);
}

/** Refuses a value that is set and is not a whole number from 0 to 2^31 - 1. */
export function checkWhole(value: unknown, name: string): asserts value is number | undefined {
  checkWholeFrom(0, value, name);
}

/** Refuses a value that is set and is not a whole number from 1 to 2^31 - 1. */
export function checkPositive(value: unknown, name: string): asserts value is number | undefined {
  checkWholeFrom(1, value, name);
}

function checkWholeFrom(least: number, value: unknown, name: string): void {
  if (value === undefined) return;
  if (!Number.isInteger(value) || (value as number) < least || (value as number) > MAX_TIMER_MS) {
    throw new ConfigError(`${name} must be a whole number from ${least} to ${MAX_TIMER_MS}`);
  }
}

/** Refuses a value that is set and is not a delay in milliseconds that a timer can keep. */
export function checkMs(value: unknown, name: string): asserts value is number | undefined {
  if (value === undefined) return;
  if (typeof value !== 'number' || !(value >= 0 && value <= MAX_TIMER_MS)) {
    throw new ConfigError(`${name} must be a number of milliseconds from 0 to ${MAX_TIMER_MS}`);
  }
}

/** Refuses a value that is set and is neither true nor false. */
export function checkFlag(value: unknown, name: string): asserts value is boolean | undefined {
  if (value !== undefined && typeof value !== 'boolean') {
    throw new ConfigError(`${name} must be true or false`);
  }
}

/** Refuses a value that is set and is not a function. */
export function checkFunction(
  value: unknown,
  name: string,
): asserts value is ((...values: never) => unknown) | undefined {
  if (value !== undefined && typeof value !== 'function') throw new ConfigError(`${name} must be a function`);
}

/** Refuses a value that is set and does not have these methods. */
export function checkMethods<T>(...methods: (string & keyof T)[]): Assertion<T> {
  return (value, name): asserts value is T | undefined => {
    if (value === undefined) return;
    const given = Object(value) as Record<string, unknown>;
    if (methods.some((method) => typeof given[method] !== 'function')) {
      throw new ConfigError(`${name} must have these functions: ${methods.join(', ')}`);
    }
  };
}

/** Refuses a value that is set and is not one of `values`. */
export function checkOneOf<T>(values: readonly T[]): Assertion<T> {
  return (value, name): asserts value is T | undefined => {
    if (value !== undefined && !values.includes(value as T)) {
      throw new ConfigError(`${name} must be one of ${values.join(', ')}`);
    }
  };
}

/** A check that returns the value, `undefined` when it is unset. */
export function optional<T>(check: Assertion<T>): Check<T | undefined> {
  return withDefault(check, undefined);
}

/** A check that returns the value, `preset` when it is unset. */
export function withDefault<T, const Preset>(check: Assertion<T>, preset: Preset): Check<T | Preset> {
  return (value, name) => {
    check(value, name);
    return value ?? preset;
  };
}

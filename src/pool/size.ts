import { checkWhole, readFields, refuseUnknown } from '../settings/checks.js';
import { effectiveMax, effectiveMin } from '../settings/config.js';
import { ConfigError } from '../errors.js';

/** A new size of a pool; omitted members stay unchanged. */
export interface PoolSize {
  /** Maximum number of connections; 0 for the default, 10. */
  readonly maxOpenConns?: number | undefined;
  /** Number of connections kept open when idle, at most the maximum; 0 for none. */
  readonly minConns?: number | undefined;
}

/** The sizes in force after a change; throws ConfigError for the first violation. */
export function newSize(
  size: unknown,
  now: { readonly max: number; readonly min: number },
): { readonly max: number; readonly min: number } {
  const { maxOpenConns, minConns, ...unknown } = readFields(size, 'size');
  refuseUnknown(unknown, [], 'size');
  checkWhole(maxOpenConns, 'maxOpenConns');
  checkWhole(minConns, 'minConns');
  const max = maxOpenConns === undefined ? now.max : effectiveMax({ maxOpenConns });
  const min = minConns === undefined ? now.min : effectiveMin({ minConns });
  if (min > max) throw new ConfigError(`minConns must not be above maxOpenConns, which is ${max}`);
  return { max, min };
}

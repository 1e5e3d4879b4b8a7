import { parseArgs } from 'node:util';

/** The command line was not understood; the message names the part. */
export class UsageError extends Error {}

/** An option that takes a value. */
export const text = { type: 'string' } as const;
/** An option that takes none. */
export const flag = { type: 'boolean' } as const;
/** The options of every command. */
export const COMMON = { help: { ...flag, short: 'h' }, version: flag } as const;

type Options = Readonly<Record<string, { readonly type: 'string' | 'boolean'; readonly short?: string }>>;
type Parsed<O extends Options> = ReturnType<
  typeof parseArgs<{ args: string[]; allowPositionals: true; options: O }>
>;

/** Reads options and arguments; throws UsageError. */
export function parse<O extends Options>(given: readonly string[], options: O): Parsed<O> {
  try {
    return parseArgs({ args: [...given], allowPositionals: true, options });
  } catch (error) {
    const [said = 'the command line cannot be read'] = (error as Error).message.split('. ');
    const password = said.includes("'--password'");
    throw new UsageError(
      password ? 'a password is never a flag: set PGPASSWORD or use the password file' : said,
    );
  }
}

/** A whole number within bounds; undefined when it was not given. Throws UsageError. */
export function wholeNumber(
  name: string,
  given: string | undefined,
  min: number,
  max: number,
): number | undefined {
  if (given === undefined) return undefined;
  const value = Number(given);
  if (/^\d{1,9}$/.test(given) && value >= min && value <= max) return value;
  throw new UsageError(`--${name} must be a whole number from ${min} to ${max}`);
}

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { findPassword, matchPassword, type PasswordTarget } from '../../../src/connection/pgpass.js';
import { hold, outcome, type Target } from './target.js';

const piece = fc.oneof(
  fc.constantFrom('*', ':', '\\', '\\:', '\\\\', '#', '\r', 'h', 'p', 'é', '🐘', ' ', '5432', '\t'),
  fc.string({ maxLength: 2 }),
);
const field = fc.oneof(
  fc.constantFrom('*', 'h', '5432', 'd', 'u', '\\h', 'h\\:'),
  fc.array(piece, { maxLength: 4 }).map((all) => all.join('')),
);
const line = fc.oneof(
  fc.array(field, { minLength: 4, maxLength: 6 }).map((all) => all.join(':')),
  fc.array(piece).map((all) => all.join('')),
  fc.constantFrom('# h:5432:d:u:p', '#:*:*:*:p'),
);
const content = fc.array(line, { maxLength: 6 }).map((lines) => lines.join('\n').replaceAll('\0', ''));
const name = fc
  .oneof(
    fc.constantFrom('h', 'd', 'u', '*', 'h:', '\\', 'a\\:b', '#'),
    fc.string({ minLength: 1, maxLength: 3 }),
  )
  .filter((text) => !text.includes('\0'));
const target = fc.record({
  host: fc.oneof(fc.constantFrom('h', '#'), name),
  port: fc.constantFrom(5432, 5433),
  database: fc.oneof(fc.constant('d'), name),
  user: fc.oneof(fc.constant('u'), name),
});

type Input = { content: string; target: PasswordTarget };

/** Password files of any content, compared with a reimplementation of libpq's own algorithm. */
export const passwordFiles: Target<Input> = {
  name: 'password files',
  share: 15,
  input: fc.record({ content, target }),
  attempt({ content: text, target: to }) {
    const [found, expected] = [matchPassword(text, to), libpqs(text, to)];
    hold(found === expected, `found ${JSON.stringify(found)}, libpq finds ${JSON.stringify(expected)}`);
    return Promise.resolve();
  },
};

/** Files of arbitrary bytes. */
export function passwordFileBytes(): Target<Uint8Array> {
  const folder = mkdtempSync(join(tmpdir(), 'pgauge-fuzz-'));
  const path = join(folder, 'pgpass');
  return {
    name: 'password files of any bytes',
    share: 2,
    input: fc.uint8Array({ maxLength: 300 }),
    async attempt(bytes) {
      writeFileSync(path, bytes, { mode: 0o600 });
      const to = { host: 'h', port: 5432, database: 'd', user: 'u' };
      const found = await outcome(() => findPassword(to, { env: { PGPASSFILE: path } }));
      hold('value' in found, 'a password file made the look-up fail', found);
    },
    close: () => rmSync(folder, { recursive: true }),
  };
}

/** Parses character by character as libpq does: field after field, a backslash taking the next character literally. */
function libpqs(text: string, { host, port, database, user }: PasswordTarget): string | undefined {
  for (const raw of text.split('\n')) {
    const chars = Array.from(raw.replace(/\r+$/, ''));
    if (chars[0] === '#') continue;
    let at: number | undefined = 0;
    for (const token of [host, String(port), database, user])
      at = at === undefined ? undefined : after(chars, at, Array.from(token));
    if (at === undefined) continue;
    let password = '';
    for (let i = at; i < chars.length && chars[i] !== ':'; i += 1) {
      if (chars[i] === '\\' && i + 1 < chars.length) i += 1;
      password += chars[i] ?? '';
    }
    return password;
  }
  return undefined;
}

/** Returns where the next field begins if this one matches. */
function after(chars: readonly string[], from: number, token: readonly string[]): number | undefined {
  if (chars[from] === '*' && chars[from + 1] === ':') return from + 2;
  let matched = 0;
  for (let at = from; at < chars.length; at += 1) {
    if (chars[at] === ':' && matched === token.length) return at + 1;
    if (chars[at] === '\\') at += 1;
    if (matched === token.length || chars[at] !== token[matched]) return undefined;
    matched += 1;
  }
  return undefined;
}

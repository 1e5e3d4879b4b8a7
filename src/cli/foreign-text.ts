import { errorText } from '../foreign-error.js';

const MAX_LENGTH = 400;
/** Shorter secrets may be words that occur in messages for other reasons, and hiding those would reveal the secret. */
const MIN_SECRET_LENGTH = 8;

/** OpenSSL's messages: thread, code, library, function, reason, file and line. */
const OPENSSL = /[0-9A-F]{8,16}:error:[0-9A-F]{8}:[^:]*:[^:]*:([^:]*):[^:]*:\d+:.*/s;

/** Makes text from other software safe to print: one line, no control characters, and none of the known secrets. */
export class ForeignText {
  readonly #secrets = new Set<string>();

  /** Hides this secret in every text. */
  hide(secret: string | undefined): void {
    if (secret === undefined || secret.length < MIN_SECRET_LENGTH) return;
    this.#secrets.add(secret);
    this.#secrets.add(encodeURIComponent(secret));
  }

  clean(text: string): string {
    let shown = text;
    // The longest first, because one secret may be part of another.
    for (const secret of [...this.#secrets].sort((a, b) => b.length - a.length)) {
      shown = shown.replaceAll(secret, '[hidden]');
    }
    return shown
      .replace(/[\p{Cc}\p{Cf}\u2028\u2029]+/gu, ' ')
      .trim()
      .slice(0, MAX_LENGTH);
  }

  /** The message of an error, preceded by its code unless the message contains it. */
  ofError(error: unknown): string {
    const { code } = (error ?? {}) as { code?: unknown };
    const said = this.clean(errorText(error).replace(OPENSSL, '$1'));
    const named = typeof code === 'string' && !code.startsWith('ERR_PGAUGE') ? this.clean(code) : '';
    if (said.includes(named)) return said || 'no reason given';
    return said === '' ? named : `${named}: ${said}`;
  }
}

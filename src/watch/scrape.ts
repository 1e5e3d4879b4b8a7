import type { ReadableStream } from 'node:stream/web';
import { WatchError } from './watch-error.js';

/** The limits of an endpoint's answer: its uncompressed size and its time. */
export const SCRAPE_LIMITS = { bytes: 16 * 2 ** 20, ms: 10_000 } as const;

const ACCEPT = 'application/openmetrics-text;version=1.0.0;q=0.75,text/plain;version=0.0.4;q=0.5';

/** The text of an endpoint's answer; throws `WatchError` when it cannot be read within the limits. */
export async function scrape(
  url: URL,
  limits: { bytes: number; ms: number } = SCRAPE_LIMITS,
): Promise<string> {
  const signal = AbortSignal.timeout(limits.ms);
  try {
    const response = await fetch(url, { signal, headers: { accept: ACCEPT }, redirect: 'error' });
    if (!response.ok) {
      await response.body?.cancel();
      throw new WatchError(`it answers with status ${response.status}`);
    }
    return await textOf(response, limits.bytes, signal);
  } catch (error) {
    if (error instanceof WatchError) throw error;
    if (signal.aborted)
      throw new WatchError(`no whole answer within ${limits.ms / 1_000} s`, { cause: error });
    throw new WatchError(reasonOf(error), { cause: error });
  }
}

/** Reads at most `most` bytes, uncompressed. */
async function textOf(response: Response, most: number, signal: AbortSignal): Promise<string> {
  const decoder = new TextDecoder();
  const body = (response.body ?? new Blob([]).stream()) as ReadableStream<Uint8Array>;
  const reader = body.getReader();
  // `fetch` may ignore its signal once the headers have arrived, or may have ended the answer itself.
  const stop = (): void => void reader.cancel().catch(() => undefined);
  signal.addEventListener('abort', stop, { once: true });
  let text = '';
  let bytes = 0;
  for (;;) {
    const { done, value } = await reader.read();
    signal.throwIfAborted();
    if (done) return text + decoder.decode();
    bytes += value.length;
    text += decoder.decode(value, { stream: true });
    if (bytes <= most) continue;
    stop();
    throw new WatchError(`its answer exceeds ${most / 2 ** 20} MiB`);
  }
}

function reasonOf(error: unknown): string {
  // The error of `fetch` only says that it failed; its cause has the reason.
  const cause = (error as { cause?: unknown }).cause ?? error;
  const { code, message } = cause as { code?: unknown; message?: unknown };
  if (code === 'ECONNREFUSED') return 'no process listens there (ECONNREFUSED)';
  if (code === 'ENOTFOUND') return 'the host name is not known (ENOTFOUND)';
  if (/redirect/.test(String(message))) return 'it redirects to another address';
  return typeof code === 'string' ? `the request failed (${code})` : `the request failed: ${String(message)}`;
}

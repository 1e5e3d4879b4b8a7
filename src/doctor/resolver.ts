import { execFile } from 'node:child_process';
import { getDefaultResultOrder, type LookupAddress } from 'node:dns';
import type { LookupFunction } from 'node:net';
import { promisify } from 'node:util';

const PROGRAM = `
  const dns = require('node:dns');
  dns.setDefaultResultOrder(process.argv[2]);
  dns.lookup(process.argv[1], { all: true }, (error, addresses) =>
    console.log(JSON.stringify(error ? { code: error.code } : { addresses })));`;

/** The process that was to ask ended without an answer: no name server is to blame. */
export class LookupProcessError extends Error {}

/**
 * The addresses of a host as a connection would find them; rejects with an error that has the resolver's code, with
 * LookupProcessError, or with the signal's reason. The system's resolver cannot be stopped, and no process ends before
 * it has answered: so a process of its own asks, which can be killed.
 */
export async function resolveHost(host: string, signal: AbortSignal): Promise<readonly LookupAddress[]> {
  const { code, addresses } = await ask(host, signal).catch((error: unknown) => {
    if (signal.aborted) throw signal.reason;
    throw new LookupProcessError(`the process that looks up ${host} gave no answer`, { cause: error });
  });
  if (addresses === undefined) {
    throw Object.assign(new Error(`${host} was not resolved`), { code: code ?? 'EAI_FAIL' });
  }
  return addresses;
}

interface Answer {
  readonly code?: string;
  readonly addresses?: LookupAddress[];
}

async function ask(host: string, signal: AbortSignal): Promise<Answer> {
  const options = { signal, killSignal: 'SIGKILL', env: helperEnvironment() } as const;
  // After `--` no host is taken for an option.
  const args = ['-e', PROGRAM, '--', host, getDefaultResultOrder()];
  const { stdout } = await promisify(execFile)(process.execPath, args, options);
  return JSON.parse(stdout) as Answer;
}

/**
 * The environment of the process that asks, without the variables of Node: what NODE_OPTIONS loads belongs to the
 * application, and may print, listen on a port or never end. The system's resolver reads the others.
 */
function helperEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^NODE_/i.test(name)));
}

/** The same for sockets, as their option `lookup`. */
export function lookupUntil(signal: AbortSignal): LookupFunction {
  return (host, { all }, done) => {
    void resolveHost(host, signal).then(
      (addresses) => {
        const [first] = addresses;
        if (all) done(null, [...addresses]);
        else done(null, first?.address ?? '', first?.family);
      },
      (error: unknown) => done(error as NodeJS.ErrnoException, ''),
    );
  };
}

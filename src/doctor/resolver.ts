import { execFile } from 'node:child_process';
import { getDefaultResultOrder, type LookupAddress } from 'node:dns';
import type { LookupFunction } from 'node:net';
import { promisify } from 'node:util';

const PROGRAM = `
  const dns = require('node:dns');
  dns.setDefaultResultOrder(process.argv[2]);
  dns.lookup(process.argv[1], { all: true }, (error, addresses) =>
    console.log(JSON.stringify(error ? { code: error.code } : { addresses })));`;

/** The lookup process ended without an answer, which is not the fault of a name server. */
export class LookupProcessError extends Error {}

/**
 * The addresses of a host as a connection would find them; rejects with an error that has the resolver's code, with
 * LookupProcessError, or with the signal's reason. The system's resolver cannot be stopped, and a process does not end
 * before it has answered: so the lookup runs in a separate process, which can be killed.
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
  // After `--`, a host is not taken for an option.
  const args = ['-e', PROGRAM, '--', host, getDefaultResultOrder()];
  const { stdout } = await promisify(execFile)(process.execPath, args, options);
  return JSON.parse(stdout) as Answer;
}

/**
 * The environment of the lookup process, without the variables of Node: the modules that NODE_OPTIONS loads belong to
 * the application, and may print, listen on a port or never end. The system's resolver reads other variables.
 */
function helperEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^NODE_/i.test(name)));
}

/** The same lookup for sockets, as their option `lookup`. */
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

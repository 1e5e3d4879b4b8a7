import { connect } from 'node:net';
import { failed, ok, warning, type Outcome } from '../report.js';
import type { Session } from '../session.js';

interface Attempt {
  readonly address: string;
  readonly durationMs: number;
  /** The code of the failure, NO_ANSWER after the time limit. */
  readonly error: string | undefined;
}

const NO_ANSWER = 'NO_ANSWER';

/** Dials all addresses at once, each on its own socket. */
export async function checkTcp(session: Session, signal: AbortSignal): Promise<Outcome> {
  const { host, port } = session.get('config');
  const attempts = await Promise.all(
    session.get('addresses').map(({ address, family }) => dial(address, family, port, signal)),
  );
  const found = attempts.map(describe).join(', ');
  const facts = {
    port,
    attempts: attempts.map(({ address, durationMs, error }) => ({
      address,
      duration_ms: Math.round(durationMs * 10) / 10,
      ...(error !== undefined && { error }),
    })),
  };
  const answered = attempts.find(({ error }) => error === undefined);
  if (answered === undefined) return failure(attempts, `port ${port}: ${found}`, host, facts);
  session.set('address', answered.address);
  if (!attempts.some(({ error }) => error !== undefined && error !== 'ECONNREFUSED')) {
    return ok(found, { facts });
  }
  return warning(
    'addresses_unreachable',
    found,
    'every connection may wait for the address that does not answer: mend its route, or take it out of DNS',
    facts,
  );
}

function dial(address: string, family: number, port: number, signal: AbortSignal): Promise<Attempt> {
  const startedMs = performance.now();
  return new Promise((resolve) => {
    const socket = connect({ host: address, port, family });
    const end = (error: string | undefined): void => {
      signal.removeEventListener('abort', giveUp);
      socket.destroy();
      resolve({ address, durationMs: performance.now() - startedMs, error });
    };
    const giveUp = (): void => end(NO_ANSWER);
    signal.addEventListener('abort', giveUp);
    socket.once('connect', () => end(undefined));
    socket.on('error', (error: NodeJS.ErrnoException) => {
      end(error.code === 'ETIMEDOUT' ? NO_ANSWER : (error.code ?? 'error'));
    });
  });
}

function describe({ address, durationMs, error }: Attempt): string {
  if (error === undefined) return `${address} answers in ${Math.max(1, Math.round(durationMs))} ms`;
  return error === NO_ANSWER ? `${address} does not answer` : `${address} ${error}`;
}

function failure(attempts: readonly Attempt[], found: string, host: string, facts: object): Outcome {
  const errors = new Set(attempts.map(({ error }) => error));
  if (errors.has(NO_ANSWER)) {
    return failed(
      'no_answer',
      found,
      'packets are dropped on the way: check security group, firewall, route and VPN, and that the database may be reached from this network',
      { ...facts },
    );
  }
  if (errors.has('ECONNREFUSED')) {
    return failed(
      'port_closed',
      found,
      `nothing listens there: check the port (--port), and that the server on ${host} runs and listens on that address`,
      { ...facts },
    );
  }
  return failed('unreachable', found, 'check the route to that network from this machine', { ...facts });
}

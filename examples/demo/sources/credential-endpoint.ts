import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { LocalRds } from '../../../local-rds/index.js';
import { GRACE_MS } from './source.js';

/** A stand-in for a container credential endpoint, which the AWS SDK calls when its cached credentials have expired. */
export interface CredentialEndpoint extends AsyncDisposable {
  /** Delay of its answers in milliseconds. */
  delayMs: number;
  /** Lifetime of the keys it issues in milliseconds. */
  lifetimeMs: number;
  /** Whether it answers with an error. */
  failing: boolean;
  /** Cumulative: keys that were issued with a delay. */
  readonly lateKeys: number;
  readonly url: string;
  /** Makes the server reject every key issued so far. */
  revoke(): void;
}

/** Serves keys on loopback that the server accepts and that expire after `lifetimeMs`, unless that is changed later. */
export async function serveCredentials(rds: LocalRds, lifetimeMs: number): Promise<CredentialEndpoint> {
  const given = new Set<string>();
  const state = { delayMs: 0, lifetimeMs, failing: false, lateKeys: 0, url: '' };
  const server = createServer((_request, response) => {
    const { delayMs } = state;
    void sleep(delayMs, undefined, { ref: false }).then(() => {
      if (state.failing) {
        response.writeHead(500).end();
        return;
      }
      const key = rds.credentials.issueTemporary({ lifetimeMs: state.lifetimeMs + GRACE_MS });
      given.add(key.accessKeyId);
      if (delayMs > 0) state.lateKeys += 1;
      response.setHeader('content-type', 'application/json');
      response.end(
        JSON.stringify({
          AccessKeyId: key.accessKeyId,
          SecretAccessKey: key.secretAccessKey,
          Token: key.sessionToken,
          Expiration: new Date(Date.now() + state.lifetimeMs).toISOString(),
        }),
      );
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  server.unref();
  state.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;

  return Object.assign(state, {
    revoke: () => {
      for (const id of given) rds.credentials.remove(id);
      given.clear();
    },
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  });
}

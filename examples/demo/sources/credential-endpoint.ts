import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { LocalRds } from '../../../local-rds/index.js';
import { GRACE_MS } from './source.js';

/** The stand-in for the credential endpoint of a container: the AWS SDK asks it when the credentials it holds have ended. */
export interface CredentialEndpoint extends AsyncDisposable {
  /** Milliseconds before it answers. */
  delayMs: number;
  /** Milliseconds that the keys it gives last. */
  lifetimeMs: number;
  /** Whether it answers with an error. */
  failing: boolean;
  /** Cumulative: keys that it gave late. */
  readonly lateKeys: number;
  readonly url: string;
  /** Makes the server refuse every key that was given so far. */
  revoke(): void;
}

/** Serves on loopback keys that the server accepts, and that end after `lifetimeMs` unless told otherwise. */
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

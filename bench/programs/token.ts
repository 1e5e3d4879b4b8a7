// Tokens for the same login, repeatedly: the cost of each connection attempt before it is dialled.
import { Signer } from '@aws-sdk/rds-signer';
import { newDynamicAuthFunc } from '../../src/index.js';
import { spentOn } from './clock.js';
import type { Prepare, Settings } from './program.js';

const target = { host: 'db.example.com', port: 5432, user: 'app', database: 'app', ssl: false as const };
const REGION = 'eu-central-1';

async function tokenSource(contender: string): Promise<() => Promise<unknown>> {
  const signer = (): Signer =>
    new Signer({ hostname: target.host, port: target.port, username: target.user, region: REGION });
  if (contender.startsWith('shared signer')) {
    const shared = signer();
    return () => shared.getAuthToken();
  }
  if (contender === 'signer each') return () => signer().getAuthToken();
  const hook = await newDynamicAuthFunc(
    { ...target, sslMode: 'require', dynamicAuth: { awsRdsIam: { region: REGION } } } as never,
    target.user,
  );
  // The context that a pool would pass, without the pool's measurements.
  const context = {
    signal: new AbortController().signal,
    refreshToken: (_source: unknown, refresh: () => Promise<string>) => refresh(),
  };
  return () => hook({ ...target, password: '' }, context);
}

export const prepare: Prepare = async (
  contender,
  _variant,
  { size: { tokens = 0, warmUp = 0 } }: Settings,
) => {
  const next = await tokenSource(contender);
  const work = async (total: number): Promise<void> => {
    for (let i = 0; i < total; i++) await next();
  };
  await work(warmUp);
  return {
    async run() {
      const { cpuMs } = await spentOn(() => work(tokens));
      return { us: (cpuMs * 1000) / tokens };
    },
    end: () => Promise.resolve(),
  };
};

// The cost of importing a package in a new process.
import { spentOn } from './clock.js';
import type { Prepare } from './program.js';

const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  peers: ['pg', '@opentelemetry/api'],
  pgauge: ['pgauge'],
  'all at once': [
    ...['pgauge', 'pino', '@aws-sdk/rds-signer'],
    ...['@aws-sdk/credential-providers', '@aws-sdk/ec2-metadata-service'],
  ],
};

export const prepare: Prepare = (contender) =>
  Promise.resolve({
    async run() {
      const { cpuMs, wallMs } = await spentOn(async () => {
        for (const name of PACKAGES[contender.replace(' again', '')] ?? []) await import(name);
      });
      return { cpuMs, wallMs };
    },
    end: () => Promise.resolve(),
  });

import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { markdown, rows, writeReport } from './report.js';
import { soak } from './run.js';

const USAGE = `usage: npm run soak -- --minutes <n> [--seed <n>] [--hosts <n>] [--pipelining <depth>] [--write]
  --minutes <n>         how long the load runs, 0.2 for instance
  --seed <n>            of the order of faults and operations, default random
  --hosts <n>           1, the default, or 2, each of which has faults of its own
  --pipelining <depth>  queries that share a connection, default 0, none; from pg 8.23
  --write               puts the report in docs/reliability.md
`;
const { values } = parseArgs({
  options: {
    minutes: { type: 'string' },
    seed: { type: 'string' },
    hosts: { type: 'string', default: '1' },
    pipelining: { type: 'string', default: '0' },
    write: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
const minutes = Number(values.minutes);
const seed = values.seed === undefined ? randomInt(2 ** 31) : Number(values.seed);
const kind = { hosts: Number(values.hosts), pipelining: Number(values.pipelining) };
const isKnown = [1, 2].includes(kind.hosts) && Number.isInteger(kind.pipelining) && kind.pipelining >= 0;

if (values.help || !(minutes > 0) || !Number.isInteger(seed) || !isKnown) {
  process.stderr.write(USAGE);
  process.exitCode = values.help ? 0 : 2;
} else {
  console.log(`seed ${seed}`);
  const findings = await soak(minutes * 60_000, seed, kind);
  const report = markdown(findings, seed, kind);
  console.log(report);
  if (values.write) await writeReport(report);
  const broken = rows(findings).filter(({ held }) => held === false);
  for (const { what, found, must } of broken) console.error(`${what}: ${found}, must be ${must ?? ''}`);
  process.exitCode = broken.length > 0 ? 1 : 0;
  // Nothing keeps this process alive any more, unless something leaked.
  setTimeout(() => {
    console.error(`still running: ${process.getActiveResourcesInfo().join(', ')}`);
    process.exit(1);
  }, 10_000).unref();
}

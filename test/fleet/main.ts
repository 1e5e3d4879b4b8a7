import { parseArgs } from 'node:util';
import { simulateOutage } from './fleet.js';
import { markdown, writeReport, type Row } from './report.js';
import { STRATEGIES } from './strategies.js';

const USAGE = `usage: npm run fleet -- [--instances <n>]... [--seed <n>] [--write]
  --instances <n>   size of a fleet, default 1, 100 and 2000
  --seed <n>        of the random numbers, default 1
  --write           puts the table in docs/guides/sizing.md
`;
const { values } = parseArgs({
  options: {
    instances: { type: 'string', multiple: true, default: ['1', '100', '2000'] },
    seed: { type: 'string', default: '1' },
    write: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
const sizes = values.instances.map(Number);
const seed = Number(values.seed);

if (values.help || !Number.isInteger(seed) || !sizes.every((n) => Number.isInteger(n) && n > 0)) {
  process.stderr.write(USAGE);
  process.exitCode = values.help ? 0 : 2;
} else {
  const rows: Row[] = [];
  for (const instances of sizes) {
    for (const { name: strategy, make } of STRATEGIES) {
      const cost = await simulateOutage(make, instances, seed);
      console.log(instances, strategy, cost);
      rows.push({ instances, strategy, cost });
    }
  }
  const table = markdown(rows, seed);
  console.log(table);
  if (values.write) await writeReport(table);
}

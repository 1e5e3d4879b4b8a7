import { parseArgs } from 'node:util';
import { FAULTS, type FaultName } from './faults.js';
import { writeReport } from './report.js';
import { run } from './run.js';
import { broken, markdown } from './table.js';

const USAGE = `usage: npm run test:failover -- [--times <n>] [--once] [--only <fault>] [--write]
  --times <n>      how often each fault happens, default 10
  --once           each fault once
  --only <fault>   ${Object.keys(FAULTS).join(', ')}
  --write          puts the table in docs/failover-results.md
`;
const { values } = parseArgs({
  options: {
    times: { type: 'string', default: '10' },
    once: { type: 'boolean', default: false },
    only: { type: 'string' },
    write: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
const times = values.once ? 1 : Number(values.times);
const names = (Object.keys(FAULTS) as FaultName[]).filter((name) => (values.only ?? name) === name);

if (values.help || !(Number.isInteger(times) && times > 0) || names.length === 0) {
  process.stderr.write(USAGE);
  process.exitCode = values.help ? 0 : 2;
} else {
  const faults = Array.from({ length: times }, () => names).flat();
  const outcomes = await run(faults, console.log);
  const table = markdown(outcomes, new Date().toISOString().slice(0, 10));
  console.log(table);
  if (values.write) await writeReport(table);
  const found = broken(outcomes);
  for (const line of found) console.error(line);
  // Exit explicitly: a server that ends late must not keep the program running.
  process.exit(found.length > 0 ? 1 : 0);
}

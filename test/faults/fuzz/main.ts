import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { fuzz, TARGETS } from './run.js';

const USAGE = `usage: npm run fuzz [-- options]
  --cases <n>   in all, default 105000
  --seed <n>    of the inputs, default random
  --only <n>    the number of one target
  --path <p>    of one input, as a failure prints it; with --seed and --only
`;
const text = { type: 'string' } as const;
const { values } = parseArgs({
  options: { cases: text, seed: text, only: text, path: text, help: { type: 'boolean' } },
});
const cases = Number(values.cases ?? 105_000);
const seed = Number(values.seed ?? randomInt(2 ** 31));

if (values.help || !(cases > 0) || !Number.isInteger(seed)) {
  process.stderr.write(USAGE);
  process.exitCode = values.help ? 0 : 2;
} else await run();

async function run(): Promise<void> {
  console.log(`seed ${seed}`);
  const stray: unknown[] = [];
  process.on('unhandledRejection', (reason) => stray.push(reason));
  let sum = 0;
  for (const [at, make] of TARGETS.entries()) {
    if (values.only !== undefined && Number(values.only) !== at) continue;
    const startedAt = performance.now();
    try {
      const { name, cases: tried } = await fuzz(make, { cases, seed, path: values.path });
      sum += tried;
      console.log(
        `${at}: ${name}: ${tried} cases in ${Math.round((performance.now() - startedAt) / 1_000)} s`,
      );
    } catch (error) {
      console.error(`${at}:`, error);
      process.exitCode = 1;
    }
  }
  console.log(`${sum} cases`);
  if (stray.length > 0) {
    console.error('rejections nobody handled:', stray.slice(0, 5));
    process.exitCode = 1;
  }
}

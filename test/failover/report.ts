import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import prettier from 'prettier';

const PAGE = fileURLToPath(new URL('../../docs/failover-results.md', import.meta.url));

const HEAD = `# What a failover costs

The figures of the last run with \`--write\` of \`npm run test:failover\`: three nodes of PostgreSQL with Patroni and synchronous
replication, the pools of six programs under the same load and the same faults. Each program has four workers that read and
write in turn through a pool of at most six connections, with TLS verified and SCRAM. \`pgauge\` rides outages out with
\`connectRetryMs\`; the callers of the others ask again 100 ms after each failure, which those pools leave to them.

\`hosts\` is a list of the three nodes, \`haproxy\` an HAProxy that asks Patroni who leads, and \`name\` one name whose
address changes when another node leads. A query that was running when its connection was lost fails with every pool: only
its caller can know whether it may be sent again. "First write" begins when Patroni says that
a node leads; its figures are the median and the worst.
`;

/** Writes the results page. */
export async function writeReport(table: string): Promise<void> {
  const options = await prettier.resolveConfig(PAGE);
  await writeFile(PAGE, await prettier.format(`${HEAD}\n${table}`, { ...options, parser: 'markdown' }));
}

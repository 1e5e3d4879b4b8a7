import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import prettier from 'prettier';

const PAGE = fileURLToPath(new URL('../../docs/failover-results.md', import.meta.url));

const HEAD = `# What a failover costs

The figures of the last run of \`npm run test:failover -- --write\`: three PostgreSQL nodes with Patroni and synchronous
replication, and six programs whose pools carry the same load through the same faults. Each program has four workers that read
and write in turn, through a pool of at most six connections, with verified TLS and SCRAM. \`pgauge\` waits for the end of an
outage, with \`connectRetryMs\`; with the other pools the caller has to retry, and does so 100 ms after each failure.

\`hosts\` is a list of the three nodes, \`haproxy\` an HAProxy that asks Patroni which node leads, and \`name\` a single name whose
address changes when another node leads. A query that was running when its connection was lost fails with every pool, because
only its caller knows whether it may be sent again. "First write" is measured from the moment at which Patroni says that a node
leads; the figures are the median and the worst.
`;

/** Writes the results page. */
export async function writeReport(table: string): Promise<void> {
  const options = await prettier.resolveConfig(PAGE);
  await writeFile(PAGE, await prettier.format(`${HEAD}\n${table}`, { ...options, parser: 'markdown' }));
}

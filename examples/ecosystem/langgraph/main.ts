import { emptyCheckpoint } from '@langchain/langgraph-checkpoint';
import { PostgresSaver } from '@langchain/langgraph-checkpoint-postgres';
import { newPool } from 'pgauge';
import { config } from '../config.js';

const pool = await newPool({ ...config, maxOpenConns: 5 }, { queryTelemetry: true });
const saver = new PostgresSaver(pool, undefined, { schema: 'agents' });
await saver.setup();

/** A conversation of several steps; each continues from the one before. */
async function converse(thread: string): Promise<unknown> {
  let at = { configurable: { thread_id: thread, checkpoint_ns: '' } } as Parameters<typeof saver.put>[0];
  for (let step = 0; step < 3; step++) {
    const checkpoint = { ...emptyCheckpoint(), channel_values: { said: `${thread} ${step}` } };
    at = await saver.put(at, checkpoint, { source: 'loop', step, parents: {} }, { said: step + 1 });
  }
  await saver.putWrites(at, [['said', 'to be continued']], 'task');
  const last = await saver.getTuple({ configurable: { thread_id: thread } });
  return [last?.metadata?.step, last?.pendingWrites?.map(([, , value]) => value)];
}

const conversations = await Promise.all(Array.from({ length: 8 }, (_, n) => converse(`thread ${n}`)));
const steps: unknown[] = [];
for await (const { metadata } of saver.list({ configurable: { thread_id: 'thread 0' } }))
  steps.push(metadata?.step);
await saver.deleteThread('thread 0');
const deleted = await saver.getTuple({ configurable: { thread_id: 'thread 0' } });
const stat = pool.stat();
// Ends the pool as well.
await saver.end();
console.log(
  JSON.stringify({ conversations, steps, deleted: deleted === undefined, stat, ended: pool.ended }),
);

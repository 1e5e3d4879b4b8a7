// One contender in its own process: receives its assignment, prepares, then measures on request.
import { once } from 'node:events';
import type { Contender, Prepare, Settings, Variant } from './program.js';

/** The first message to the process. */
export interface Assignment {
  readonly program: string;
  readonly contender: Contender;
  readonly variant: Variant;
  readonly settings: Settings;
}

const [{ program, contender, variant, settings }] = (await once(process, 'message')) as [Assignment];
const { prepare } = (await import(new URL(`${program}.mjs`, import.meta.url).href)) as { prepare: Prepare };
const task = await prepare(contender, variant, settings);

const answer = (message: unknown): void => void process.send?.(message);
process.on('message', (asked) => {
  const work = asked === 'run' ? task.run() : task.end().then(() => process.disconnect());
  work.then(
    (sample) => asked === 'run' && answer({ sample }),
    (error: unknown) => answer({ error: String((error as Error).stack) }),
  );
});
answer({ ready: true });

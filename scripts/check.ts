import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { availableParallelism } from 'node:os';

/** Scripts of package.json, the slowest first. */
const CHECKS = ['lint', 'test:unit', 'typecheck', 'format:check', 'cycles'];

/** Runs a script; resolves with its exit code and its output. */
async function run(script: string): Promise<{ code: number | null; output: string }> {
  const child = spawn('npm', ['run', '--silent', script], {
    stdio: ['ignore', 'pipe', 'pipe'],
    shell: process.platform === 'win32',
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, output };
}

const waiting = [...CHECKS];
const failed: string[] = [];

/** Runs one script after another until none is left. */
async function work(): Promise<void> {
  for (let script = waiting.shift(); script !== undefined; script = waiting.shift()) {
    const startedAt = performance.now();
    const { code, output } = await run(script);
    const seconds = Math.round((performance.now() - startedAt) / 1_000);
    if (code !== 0) {
      failed.push(script);
      console.log(output.trimEnd());
    }
    console.log(`${code === 0 ? 'ok' : 'FAILED'}  ${script}  ${seconds} s`);
  }
}

await Promise.all(Array.from({ length: Math.min(availableParallelism(), CHECKS.length) }, work));
if (failed.length > 0) {
  console.log(`failed: ${failed.join(', ')}`);
  process.exitCode = 1;
}

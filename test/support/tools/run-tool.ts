import { execFile, type ExecFileOptions } from 'node:child_process';
import { access, constants } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { endsWithUs } from '../children.js';

const execute = promisify(execFile);
const MOST_OUTPUT_BYTES = 16_000_000;

/** Thrown when a tool is not installed; the message says how to install it. */
export class MissingTool extends Error {}

/** The path of a program on PATH or in `folders`; throws a `MissingTool` with the command that installs it. */
export async function findTool(
  name: string,
  install: string,
  folders: readonly string[] = ['/usr/bin'],
): Promise<string> {
  for (const folder of [...(process.env['PATH'] ?? '').split(delimiter), ...folders]) {
    const path = join(folder, name);
    if (
      await access(path, constants.X_OK).then(
        () => true,
        () => false,
      )
    )
      return path;
  }
  throw new MissingTool(`${name} is missing: ${install}`);
}

/** Runs a program until it ends and returns its output; rejects with the output if it fails. */
export async function runTool(
  program: string,
  args: readonly string[],
  options: ExecFileOptions = {},
): Promise<string> {
  try {
    const running = execute(program, [...args], {
      maxBuffer: MOST_OUTPUT_BYTES,
      encoding: 'utf8',
      ...options,
    });
    endsWithUs(running.child);
    const { stdout, stderr } = await running;
    return `${String(stdout)}${String(stderr)}`.trim();
  } catch (cause) {
    const { stdout = '', stderr = '', message } = cause as Error & { stdout?: string; stderr?: string };
    throw new Error(`${program} failed: ${`${stdout}${stderr}`.trim() || message}`, { cause });
  }
}

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { runTool } from '../../support/tools/run-tool.js';
import { dockerCompose } from '../tools/docker-compose.js';
import type { Engine } from './engine.js';

const ROOT = join(import.meta.dirname, '../../..');

/** A container of the project. */
export interface Container {
  readonly service: string;
  /** `running (healthy)`, `running`, `exited (0)`, … */
  readonly state: string;
}

/** The unmodified docker-compose.yml, followed by an override file. */
export class Project {
  private constructor(
    private readonly engine: Engine,
    private readonly compose: string,
    private readonly overrideFile: string,
  ) {}

  static async with(override: object, engine: Engine): Promise<Project> {
    const compose = await dockerCompose();
    const overrideFile = join(engine.folder, 'override.yml');
    await writeFile(overrideFile, stringify(override));
    return new Project(engine, compose, overrideFile);
  }

  /** Runs a compose command; returns its output. */
  async run(...command: readonly string[]): Promise<string> {
    const files = ['docker-compose.yml', this.overrideFile].flatMap((file) => ['-f', file]);
    const { PATH, HOME } = process.env;
    return await runTool(this.compose, ['-p', 'pgauge', ...files, ...command], {
      cwd: ROOT,
      // Pass on no variables that the file reads, such as DEMO_AUTH.
      env: { PATH, HOME, DOCKER_HOST: this.engine.socket, COMPOSE_PROGRESS: 'plain' },
    });
  }

  /** All containers, including those that have ended. */
  async containers(): Promise<Container[]> {
    const lines = (await this.run('ps', '--all', '--format', 'json')).split('\n').filter(Boolean);
    return lines
      .map(
        (line) => JSON.parse(line) as Record<'Service' | 'State' | 'Health', string> & { ExitCode: number },
      )
      .map(({ Service: service, State, Health, ExitCode }) => {
        const more = State === 'exited' ? String(ExitCode) : Health;
        return { service, state: more === '' ? State : `${State} (${more})` };
      });
  }
}

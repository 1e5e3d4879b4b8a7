import { goProgram } from '../../support/tools/go.js';

const VERSION = 'v2.40.3';

/** Path of Docker Compose, built from its module. */
export async function dockerCompose(): Promise<string> {
  return await goProgram({
    name: 'docker-compose',
    module: 'github.com/docker/compose/v2',
    version: VERSION,
    folder: 'cmd',
    flags: [`-ldflags=-s -w -X github.com/docker/compose/v2/internal.Version=${VERSION}`],
  });
}

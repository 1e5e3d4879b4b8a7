import { goProgram } from '../../support/tools/go.js';

/** Path of the reader of compose files that `docker compose config` is made of; it needs no engine. */
export async function composeSpec(): Promise<string> {
  return await goProgram({
    name: 'compose-spec',
    module: 'github.com/compose-spec/compose-go/v2',
    version: 'v2.16.2',
    folder: 'cmd',
  });
}

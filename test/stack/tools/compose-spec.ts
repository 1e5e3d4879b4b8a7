import { goProgram } from '../../support/tools/go.js';

/** Path of the compose-file reader that `docker compose config` uses; it needs no engine. */
export async function composeSpec(): Promise<string> {
  return await goProgram({
    name: 'compose-spec',
    module: 'github.com/compose-spec/compose-go/v2',
    version: 'v2.16.2',
    folder: 'cmd',
  });
}

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { expect, it, onTestFinished } from 'vitest';
import { installBuilt } from '../../support/packages/built-package.js';
import { serve } from '../../support/watch.js';

// Compiles the package.
const TIMEOUT_MS = 180_000;

it(
  'watch serves the whole page from the installed package, with nothing else installed',
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'pgauge-watch-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    await installBuilt(folder, { types: false });
    const { url } = await serve((_, response) =>
      response.end('pgauge_pool_info{db_client_connection_pool_name="orders"} 1\n'),
    );
    const main = join(folder, 'node_modules/pgauge/dist/cli/main.js');
    const child = spawn(process.execPath, [main, 'watch', url, '--port', '0'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    onTestFinished(() => void child.kill());
    let page = '';
    for await (const line of createInterface(child.stdout)) {
      page = line.replace(/^Watch it live +/, '');
      break;
    }
    const types: Record<string, string | null> = {};
    for (const path of ['', 'page.js', 'charts.js', 'bands.js', 'page.css', 'uPlot.js', 'uPlot.css']) {
      const response = await fetch(new URL(path, page));
      types[path] = response.headers.get('content-type');
      expect(response.status).toBe(200);
      // uPlot's names its author and its source.
      expect(await response.text()).toContain(path === 'uPlot.js' ? 'leeoniya/uPlot' : ' ');
    }
    expect(types).toMatchObject({
      '': 'text/html; charset=utf-8',
      'uPlot.js': 'text/javascript; charset=utf-8',
    });
    child.kill('SIGTERM');
    expect(await once(child, 'exit')).toEqual([143, null]);
  },
  TIMEOUT_MS,
);

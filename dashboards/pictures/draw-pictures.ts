import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Dashboard } from '@grafana/schema';
import sharp from 'sharp';
import { build, preview } from 'vite';
import { openChromium } from './chromium.ts';
import type { Options } from './options.ts';
import type { Job, Outcome } from './page/job.ts';
import { takePicture, type Size } from './take-picture.ts';

const configFile = fileURLToPath(new URL('vite.config.ts', import.meta.url));
const dashboardsFolder = fileURLToPath(new URL('..', import.meta.url));

const wholeDashboard: Size = { widthPx: 1600, scale: 2 };
// 1600 pixels wide in the file, and large enough to be readable in the column of a README.
const oneRow: Size = { widthPx: 1200, scale: 4 / 3 };

interface Picture {
  name: string;
  size: Size;
  job: Job;
}

/** Draws the dashboards into files; a failed query makes the process exit with 1. */
export async function drawPictures(options: Options): Promise<void> {
  const pictures = await picturesFor(options);
  const browser = await openChromium(options.chromium);
  try {
    await build({ configFile, logLevel: 'error' });
    const server = await preview({
      configFile,
      logLevel: 'error',
      preview: {
        host: '127.0.0.1',
        port: 0,
        proxy: { '/api/v1': { target: options.prometheus, changeOrigin: true } },
      },
    });
    try {
      await mkdir(options.out, { recursive: true });
      const url = server.resolvedUrls?.local[0];
      if (url === undefined) throw new Error('the page has no server');
      for (const { name, size, job } of pictures) {
        const { png, outcome } = await takePicture(browser, url, job, size);
        // A palette reduces the size to a third without a visible difference.
        const small = await sharp(png).png({ palette: true, effort: 10 }).toBuffer();
        await writeFile(path.join(options.out, `${name}.png`), small);
        console.log(`${name}.png ${String(Math.round(small.length / 1000))} kB`);
        report(outcome);
      }
    } finally {
      await server.close();
    }
  } finally {
    await browser.close();
  }
}

async function picturesFor(options: Options): Promise<Picture[]> {
  const files = options.dashboards.length > 0 ? options.dashboards : await committedDashboards();
  const { from, to, scrapeInterval, theme, variables } = options;
  const whole = await Promise.all(
    files.map(async (file): Promise<Picture> => {
      const dashboard = JSON.parse(await readFile(file, 'utf8')) as Dashboard;
      const job = { dashboard, from, to, scrapeInterval, theme, variables };
      return { name: dashboard.uid ?? path.basename(file, '.json'), size: wholeDashboard, job };
    }),
  );
  const rows = options.rows.map(([uid, row]): Picture => {
    const of = whole.find(({ name }) => name === uid);
    if (of === undefined) throw new Error(`no dashboard has the uid ${uid}`);
    const name = `${uid}-${row
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, '-')
      .replace(/^-|-$/g, '')}`;
    return { name, size: oneRow, job: { ...of.job, row } };
  });
  return [...whole, ...rows];
}

async function committedDashboards(): Promise<string[]> {
  const names = (await readdir(dashboardsFolder)).filter((name) => name.endsWith('.json')).sort();
  if (names.length === 0) throw new Error(`no dashboard in ${dashboardsFolder}`);
  return names.map((name) => path.join(dashboardsFolder, name));
}

/** Prints which data is missing in a picture; a failed query makes the command fail. */
function report({ panels, problems }: Outcome): void {
  for (const { id, title, series, problems: own } of panels) {
    if (series === 0 && own.length === 0) console.log(`  panel ${String(id)} "${title}" has no data`);
    problems.push(...own.map((problem) => `panel ${String(id)} "${title}": ${problem}`));
  }
  for (const problem of problems) console.error(`  ${problem}`);
  if (problems.length > 0) process.exitCode = 1;
}

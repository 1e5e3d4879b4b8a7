import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

/** A file of the page. */
export interface Asset {
  readonly type: string;
  readonly body: Buffer;
}

const FOLDER = new URL('./page/', import.meta.url);

/** The files of the page by the path they are served at. */
export function pageAssets(): ReadonlyMap<string, Asset> {
  return new Map([
    ['/', { type: 'text/html; charset=utf-8', body: own('index.html') }],
    ['/page.js', { type: 'text/javascript; charset=utf-8', body: own('page.js') }],
    ['/bands.js', { type: 'text/javascript; charset=utf-8', body: own('bands.js') }],
    ['/charts.js', { type: 'text/javascript; charset=utf-8', body: own('charts.js') }],
    ['/page.css', { type: 'text/css; charset=utf-8', body: own('page.css') }],
    ['/uPlot.js', { type: 'text/javascript; charset=utf-8', body: ofUplot('uPlot.iife.min.js') }],
    ['/uPlot.css', { type: 'text/css; charset=utf-8', body: ofUplot('uPlot.min.css') }],
  ]);
}

const own = (name: string): Buffer => readFileSync(new URL(name, FOLDER));

const require = createRequire(import.meta.url);
/** The build copies them next to our files, so that the installed package needs no other package. */
const ofUplot = (name: string): Buffer =>
  existsSync(new URL(name, FOLDER)) ? own(name) : readFileSync(require.resolve(`uplot/dist/${name}`));

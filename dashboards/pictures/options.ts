import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

export const usage = `usage: npm run draw -- --prometheus <url> [options]
  --prometheus <url>        where the data is
  --from <time>             as in Grafana: now-15m, or short -15m, or ISO 8601; default -15m
  --to <time>               default now
  --out <folder>            default docs/pictures
  --scrape-interval <time>  the datasource's scrape interval; default 15s
  --var <name>=<value>      a variable's value; may be repeated
  --row <uid>=<title>       one more picture, of this row of this dashboard; may be repeated
  --dashboard <file>        default the committed ones; may be repeated
  --theme dark|light        default dark
  --chromium <path>         default /usr/bin/chromium`;

export interface Options {
  prometheus: string;
  from: string;
  to: string;
  out: string;
  scrapeInterval: string;
  variables: Record<string, string>;
  rows: [uid: string, title: string][];
  dashboards: string[];
  theme: 'dark' | 'light';
  chromium: string;
}

/** The folder in which the command was typed, to which paths are relative; npm --prefix changes the folder. */
const typedIn = process.env['INIT_CWD'] ?? process.cwd();

export function readOptions(args: string[]): Options {
  const { values } = parseArgs({
    args,
    options: {
      prometheus: { type: 'string' },
      from: { type: 'string', default: '-15m' },
      to: { type: 'string', default: 'now' },
      out: { type: 'string', default: fileURLToPath(new URL('../../docs/pictures', import.meta.url)) },
      'scrape-interval': { type: 'string', default: '15s' },
      var: { type: 'string', multiple: true, default: [] },
      row: { type: 'string', multiple: true, default: [] },
      dashboard: { type: 'string', multiple: true, default: [] },
      theme: { type: 'string', default: 'dark' },
      chromium: { type: 'string', default: '/usr/bin/chromium' },
    },
  });
  const { prometheus, theme } = values;
  if (prometheus === undefined) throw new Error('--prometheus is missing');
  if (theme !== 'dark' && theme !== 'light') throw new Error(`--theme is dark or light, not ${theme}`);
  return {
    prometheus,
    theme,
    from: momentOf(values.from),
    to: momentOf(values.to),
    out: path.resolve(typedIn, values.out),
    scrapeInterval: values['scrape-interval'],
    variables: Object.fromEntries(values.var.map(pairOf)),
    rows: values.row.map(pairOf),
    dashboards: values.dashboard.map((file) => path.resolve(typedIn, file)),
    chromium: values.chromium,
  };
}

/** `-15m` is short for `now-15m`. */
const momentOf = (text: string): string => (text.startsWith('-') ? `now${text}` : text);

function pairOf(text: string): [string, string] {
  const [name, ...rest] = text.split('=');
  if (name === undefined || name === '' || rest.length === 0) throw new Error(`"${text}" is not name=value`);
  return [name, rest.join('=')];
}

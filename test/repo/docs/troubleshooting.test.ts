import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { newPool } from '../../../src/index.js';
import { setEnv, useCleanEnvironment } from '../../support/environment.js';
import { rejection } from '../../support/until.js';
import { allPages } from '../../support/docs/code-blocks-markdown.js';

const place = useCleanEnvironment();
const page = allPages().find(({ path }) => path === 'docs/guides/troubleshooting.md')?.text ?? '';

/** The quoted texts in the subheadings of a section. */
function textsUnder(heading: string): string[] {
  const section = page.split(/^## /m).find((part) => part.startsWith(`${heading}\n`)) ?? '';
  return [...section.matchAll(/^### `([^`]+)`$/gm)].map(([, text = '']) => text);
}

/** A message on the page as a pattern; `…` stands for the part that varies. */
const patternOf = (text: string): RegExp =>
  new RegExp(
    '^' +
      text
        .split('…')
        .map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'))
        .join('[^]*'),
  );

const good = { host: 'db', port: 5432, user: 'app', database: 'orders' };
const iam = { awsRdsIam: { region: 'eu-central-1' } };

/** Makes a pool in every way that the page lists as refused, and returns the errors' texts. */
async function refusals(): Promise<string[]> {
  const empty = join(place.home, 'empty.pem');
  writeFileSync(empty, 'no certificate');
  const cut = join(place.home, 'cut.pem');
  writeFileSync(cut, '-----BEGIN CERTIFICATE-----\nMIIB');
  const attempts: [config: unknown, options?: unknown, roots?: string][] = [
    [undefined],
    [{ ...good, host: '' }],
    [{ ...good, port: '5432' }],
    [{ ...good, host: 'a,b' }],
    [{ ...good, host: 'postgres://db' }],
    [{ ...good, host: 'db:5432' }],
    [{ ...good, host: 'a%b' }],
    [{ ...good, password: '\ud800' }],
    [{ ...good, sslmode: 'require' }],
    [good, { pg: { max: 3 } }],
    [{ ...good, minConns: 11 }],
    [{ ...good, dynamicAuth: iam }, { beforeConnect: () => undefined }],
    [good, {}, join(place.home, 'missing.pem')],
    [good, {}, empty],
    [good, {}, cut],
    [good, {}, 'system'],
  ];
  const texts: string[] = [];
  for (const [config, options, roots] of attempts) {
    setEnv({ PGSSLROOTCERT: roots });
    const error = await rejection(newPool(config as never, options as never));
    expect(error).toMatchObject({ code: 'ERR_PGAUGE_CONFIG' });
    texts.push(error.message);
  }
  return texts;
}

describe('the page on troubleshooting', () => {
  test('quotes the messages of newPool', async () => {
    const said = await refusals();
    const texts = textsUnder('Making the pool');
    expect(texts.length).toBeGreaterThan(10);
    const unsaid = texts.filter((text) => !said.some((message) => patternOf(text).test(message)));
    // Loading the native binding needs a separate process: test/faults/configuration/environment.test.ts tests it.
    expect(unsaid.filter((text) => !text.includes('native binding'))).toEqual([]);
  });
});

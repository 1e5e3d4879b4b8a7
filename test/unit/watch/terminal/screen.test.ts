import { PassThrough } from 'node:stream';
import { stripVTControlCharacters } from 'node:util';
import { expect, it } from 'vitest';
import { History } from '../../../../src/watch/history.js';
import { readingOf } from '../../../../src/watch/reading.js';
import { showHistory } from '../../../../src/watch/terminal/screen.js';

const EVIL = 'evil\u001b[2J\u202e';
const text = (opened: number): string =>
  ['a', EVIL]
    .map((pool) => `db_client_connection_pool_name="${pool}"`)
    .map(
      (pool) => `pgauge_pool_info{${pool}} 1
db_client_connection_count{${pool},db_client_connection_state="used"} 400
db_client_connection_count{${pool},db_client_connection_state="idle"} -7
db_client_connection_limit{${pool}} 500
pgauge_connection_opened_total{${pool}} ${opened}
pgauge_connection_closed_total{${pool},pgauge_connection_close_reason="${EVIL}"} ${opened}
`,
    )
    .join('');

function shown(terminal: boolean) {
  const said = { out: '', err: '' };
  const stream = (key: keyof typeof said) => {
    const through = Object.assign(new PassThrough(), { isTTY: terminal, columns: 90, rows: 40 });
    through.on('data', (data: Buffer) => (said[key] += data.toString()));
    return through as unknown as NodeJS.WriteStream;
  };
  const history = new History('host/metrics', { live: true, text: 'Live' }, 1_000);
  history.add(readingOf(text(0), 1_000));
  const screen = showHistory(history, 'http://page/', stream('out'), stream('err'));
  history.add(readingOf(text(10), 2_000));
  history.state({ live: false, text: 'The process does not answer' });
  screen.close();
  history.add(readingOf(text(20), 3_000));
  return said;
}

it('on a terminal, the screen redraws in place within the width, shows each pool, and restores the cursor', () => {
  const { out, err } = shown(true);
  const drawn = out.slice(out.lastIndexOf('pgauge watch'));
  const lines = stripVTControlCharacters(drawn).split('\n');
  expect(lines[0]).toBe('pgauge watch   host/metrics');
  expect(lines[1]).toBe('The process does not answer');
  expect(lines).toContain(`  ${'connections'.padEnd(16)}used 800   idle -14   connecting  0`);
  expect(lines.find((line) => line.includes('limit 1000'))).toMatch(/\[#{40}\.{10}\]/);
  expect(lines).toContain(`  ${'closed'.padEnd(16)}evil [2J 20/s`);
  expect(lines.filter((line) => /^ {2}(a|evil \[2J) +400 /.test(line))).toHaveLength(2);
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThan(90);
  expect(drawn.endsWith('\u001b[?25h')).toBe(true);
  expect(drawn).not.toContain('\u202e');
  expect(err).toBe('');
});

it('without a terminal, the screen writes a line for each reading, and state changes to stderr', () => {
  const { out, err } = shown(false);
  const lines = out.trimEnd().split('\n');
  expect(lines).toHaveLength(2);
  expect(lines[0]).toMatch(/^at=1970-01-01T00:00:01\.000Z pools=2 .* used=800 .* opened_per_s=-/);
  expect(lines[1]).toMatch(/ opened_per_s=20\.0 closed_per_s=20\.0$/);
  expect(err).toBe('pgauge: The process does not answer\n');
});

import { STEP_TITLES, exitCode, type Status, type StepResult } from './report.js';

/** Marks text for a terminal. */
export type Paint = (status: Status | 'dim', text: string) => string;

const WIDTH = 80;
const TITLE = 14;
const TIME = 9;
const TEXT_AT = 2 + TITLE + TIME + 2;
const REMEDY_AT = 4;

const TICKS: Readonly<Record<Status, string>> = { ok: '✓', warning: '!', failed: '✗', skipped: '-' };
const COLOURS = { ok: 32, warning: 33, failed: 31, skipped: 2, dim: 2 };

/** Colours where somebody sees them and has not said no (https://no-color.org). */
export function painter(isTerminal: boolean, env: Readonly<NodeJS.ProcessEnv>): Paint {
  const coloured = isTerminal && !env['NO_COLOR'] && env['TERM'] !== 'dumb';
  return (status, text) => (coloured ? `\x1b[${COLOURS[status]}m${text}\x1b[0m` : text);
}

/** A step's lines, none wider than 80 columns. */
export function stepLines(step: StepResult, paint: Paint): string[] {
  const { id, status, found, remedy, durationMs } = step;
  const time = status === 'skipped' ? '' : `${Math.max(1, Math.round(durationMs))} ms`;
  const head = STEP_TITLES[id].padEnd(TITLE) + time.padStart(TIME);
  const [first = '', ...rest] = wrap(found, WIDTH - TEXT_AT);
  const shade = (text: string): string => (status === 'skipped' ? paint('dim', text) : text);
  return [
    `${paint(status, TICKS[status])} ${shade(`${head}  ${first}`.trimEnd())}`,
    ...rest.map((line) => shade(' '.repeat(TEXT_AT) + line)),
    ...wrap(remedy ?? '', WIDTH - REMEDY_AT - 3).map((line, at) =>
      paint(status, `${' '.repeat(REMEDY_AT)}${at === 0 ? '-> ' : '   '}${line}`),
    ),
  ];
}

/** The last line: what it all comes to. */
export function summaryLine(steps: readonly StepResult[], durationMs: number, paint: Paint): string {
  const count = (status: Status): number => steps.filter((step) => step.status === status).length;
  const seconds = `in ${(durationMs / 1_000).toFixed(1)} s`;
  const failures = count('failed');
  const parts = [
    ...(failures > 0 ? [`${failures} failed`] : []),
    ...(count('warning') > 0
      ? [`${count('warning')} ${count('warning') === 1 ? 'warning' : 'warnings'}`]
      : []),
    `${count('ok')} ok`,
    ...(count('skipped') > 0 ? [`${count('skipped')} skipped`] : []),
  ];
  const works = exitCode(steps) === 0;
  const verdict = works ? 'It works' : failures > 0 ? 'It does not work' : 'Time was over';
  return paint(
    works ? (count('warning') > 0 ? 'warning' : 'ok') : 'failed',
    `${verdict}: ${parts.join(', ')}, ${seconds}.`,
  );
}

/** Lines no wider than `width`; a word that is wider itself is cut. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ').flatMap((long) => cut(long, width))) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (longer.length <= width) line = longer;
    else {
      lines.push(line);
      line = word;
    }
  }
  return line === '' ? lines : [...lines, line];
}

function cut(word: string, width: number): string[] {
  return word.match(new RegExp(`.{1,${width}}`, 'gu')) ?? [];
}

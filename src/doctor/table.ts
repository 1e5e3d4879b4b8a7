import { STEP_TITLES, exitCode, type Outcome, type Status, type StepId, type StepResult } from './report.js';

/** How a report is printed. */
export interface Style {
  /** Maximum columns of a line. */
  readonly width: number;
  readonly coloured: boolean;
  /** ASCII only. */
  readonly plain: boolean;
}

const MAX_WIDTH = 80;
const MIN_WIDTH = 40;
const TITLE = 14;
const TIME = 9;
const TEXT_AT = 2 + TITLE + TIME + 2;
/** In narrower lines, the text is on the lines below its title. */
const TEXT_BESIDE_FROM = 72;
const REMEDY_AT = 4;

const TICKS: Readonly<Record<Status, string>> = { ok: '✓', warning: '!', failed: '✗', skipped: '-' };
const PLAIN_TICKS: Readonly<Record<Status, string>> = { ...TICKS, ok: '+', failed: 'x' };
const CLEAR_LINE = '\x1b[K';
const COLOURS = { ok: 32, warning: 33, failed: 31, skipped: 2 };

/**
 * Colours on a terminal unless NO_COLOR is set (https://no-color.org), and ASCII if the locale or the console supports
 * nothing else.
 */
export function styleOf(
  { isTTY, columns }: { readonly isTTY?: boolean; readonly columns?: number },
  env: Readonly<NodeJS.ProcessEnv>,
): Style {
  const locale = env['LC_ALL'] || env['LC_CTYPE'] || env['LANG'];
  return {
    // A console that does not know its width reports 0.
    width: Math.min(MAX_WIDTH, Math.max(MIN_WIDTH, columns || MAX_WIDTH)),
    coloured: isTTY === true && !env['NO_COLOR'] && env['TERM'] !== 'dumb',
    plain: env['TERM'] === 'linux' || (locale !== undefined && !/utf-?8/i.test(locale)),
  };
}

/** The text that a terminal shows while a check runs; empty elsewhere. */
export function waitingText(id: StepId, { coloured }: Style): string {
  // The cursor returns to the start of the line, so that the result overwrites it.
  return coloured ? `  ${STEP_TITLES[id]} ...\r` : '';
}

/** A step's lines, none wider than the style allows. */
export function stepLines(step: StepResult, style: Style): string[] {
  const { id, status, durationMs } = step;
  const time = status === 'skipped' ? '' : `${Math.max(1, Math.round(durationMs))} ms`;
  return outcomeLines(STEP_TITLES[id], time, step, style);
}

/** The heading above the steps of one of several hosts. */
export function hostLine(place: string, first: boolean): string {
  return `${first ? '' : '\n'}${place}`;
}

/** The lines that name the host that a pool would use. */
export function choiceLines(outcome: Outcome, style: Style): string[] {
  return ['', ...outcomeLines('hosts', '', outcome, style)];
}

function outcomeLines(
  title: string,
  time: string,
  { status, found, remedy }: Pick<StepResult, 'status' | 'found' | 'remedy'>,
  style: Style,
): string[] {
  const head = title.padEnd(TITLE) + time.padStart(TIME);
  const beside = style.width >= TEXT_BESIDE_FROM;
  const textAt = beside ? TEXT_AT : REMEDY_AT;
  const text = wrap(readable(found, style), style.width - textAt);
  const first = beside ? (text.shift() ?? '') : '';
  const tick = (style.plain ? PLAIN_TICKS : TICKS)[status];
  const shade = (line: string): string => (status === 'skipped' ? paint(style, status, line) : line);
  return [
    `${style.coloured ? CLEAR_LINE : ''}${paint(style, status, tick)} ${shade(`${head}  ${first}`.trimEnd())}`,
    ...text.map((line) => shade(' '.repeat(textAt) + line)),
    ...wrap(readable(remedy ?? '', style), style.width - REMEDY_AT - 3).map((line, at) =>
      paint(style, status, `${' '.repeat(REMEDY_AT)}${at === 0 ? '-> ' : '   '}${line}`),
    ),
  ];
}

function paint({ coloured }: Style, status: Status, text: string): string {
  return coloured ? `\x1b[${COLOURS[status]}m${text}\x1b[0m` : text;
}

function readable(text: string, { plain }: Style): string {
  return plain ? text.replaceAll('…', '...') : text;
}

/** The last lines: the overall verdict, which is `failing` if a step failed. */
export function summaryLines(
  steps: readonly Pick<StepResult, 'status' | 'code'>[],
  durationMs: number,
  style: Style,
  failing = 'It does not work',
): string[] {
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
  const verdict = works ? 'It works' : failures > 0 ? failing : 'Time was over';
  const colour = works ? (count('warning') > 0 ? 'warning' : 'ok') : 'failed';
  return wrap(`${verdict}: ${parts.join(', ')}, ${seconds}.`, style.width).map((line) =>
    paint(style, colour, line),
  );
}

/** Lines no wider than `width`; a wider word is split. */
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

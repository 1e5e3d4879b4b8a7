import { isDeepStrictEqual } from 'node:util';

/** One check and its result. */
export interface Row {
  readonly group: string;
  readonly what: string;
  readonly expected: string;
  readonly seen: string;
  readonly ok: boolean;
}

/** A check that cannot run here. */
export interface NotRun {
  readonly what: string;
  readonly why: string;
}

/** The results of a run of the stack. */
export class Table {
  readonly rows: Row[] = [];
  readonly notRun: NotRun[] = [];
  readonly #tell: (line: string) => void;
  readonly #shows = new Map<string, string>();
  #group = '';

  /** `tell` receives each row as it is added. */
  constructor(tell: (line: string) => void = () => undefined) {
    this.#tell = tell;
  }

  /** Starts a group: the rows that follow belong to it. `shows` says what they show. */
  group(name: string, shows = ''): void {
    this.#group = name;
    this.#shows.set(name, shows);
    this.#tell(`\n${name}`);
  }

  /** Adds a row; keep the texts short, because the reader compares them. Returns `ok`. */
  row(what: string, expected: string, seen: string, ok: boolean): boolean {
    this.rows.push({ group: this.#group, what, expected, seen, ok });
    this.#tell(ok ? `  ok      ${what}: ${seen}` : `  FAILED  ${what}: expected ${expected}, saw ${seen}`);
    return ok;
  }

  /** Adds a row that passes if both values are deeply equal. */
  equal(what: string, expected: unknown, seen: unknown): boolean {
    return this.row(what, show(expected), show(seen), isDeepStrictEqual(expected, seen));
  }

  /** Adds a row that passes if `work` does not throw; `work` returns the text for what was seen. */
  async works(what: string, work: () => Promise<string>): Promise<boolean> {
    try {
      return this.row(what, 'no error', await work(), true);
    } catch (error) {
      return this.row(what, 'no error', (error as Error).message, false);
    }
  }

  /** Records a check that could not run. */
  cannotRun(what: string, why: string): void {
    this.notRun.push({ what, why });
    this.#tell(`  not run ${what}: ${why}`);
  }

  /** Whether there was at least one check and none failed. */
  get ok(): boolean {
    return this.rows.length > 0 && this.rows.every(({ ok }) => ok);
  }

  /** A summary in Markdown: what each group shows, how many checks it has, and those that failed. */
  summary(): string {
    const groups = [...new Set(this.rows.map(({ group }) => group))];
    const counts = groups.map((group) => {
      const own = this.rows.filter((row) => row.group === group);
      return line([group, this.#shows.get(group) ?? '', own.length, own.filter(({ ok }) => !ok).length]);
    });
    const failed = this.rows.filter(({ ok }) => !ok);
    return [
      ...['| part | shows | checks | failed |', '| --- | --- | --- | --- |', ...counts, ''],
      ...section(
        'Failed',
        failed.map((row) => `${row.group}, ${row.what}: expected ${row.expected}, saw ${row.seen}`),
      ),
      ...section(
        'Not run',
        this.notRun.map(({ what, why }) => `${what}: ${why}`),
      ),
    ].join('\n');
  }
}

function show(value: unknown): string {
  if (typeof value === 'string') return value;
  return value === undefined ? 'undefined' : JSON.stringify(value);
}

function section(title: string, items: readonly string[]): string[] {
  return items.length === 0 ? [] : [`## ${title}`, '', ...items.map((item) => `- ${plain(item)}`), ''];
}

function line(cells: readonly (string | number)[]): string {
  return `| ${cells.map(plain).join(' | ')} |`;
}

/** Text escaped so that Markdown shows it unchanged, on one line. */
function plain(text: string | number): string {
  return String(text)
    .replaceAll(/[|<*]|__/g, (found) => found.replaceAll(/./g, '\\$&'))
    .replaceAll('\n', ' ');
}

import { isDeepStrictEqual } from 'node:util';

/** One thing that was looked at. */
export interface Row {
  readonly group: string;
  readonly what: string;
  readonly expected: string;
  readonly seen: string;
  readonly ok: boolean;
}

/** Something that cannot be tried here. */
export interface NotRun {
  readonly what: string;
  readonly why: string;
}

/** What a run of the stack found out. */
export class Table {
  readonly rows: Row[] = [];
  readonly notRun: NotRun[] = [];
  readonly #tell: (line: string) => void;
  #group = '';

  /** `tell` gets each row as it comes. */
  constructor(tell: (line: string) => void = () => undefined) {
    this.#tell = tell;
  }

  /** Rows from now on belong to this group. */
  group(name: string): void {
    this.#group = name;
    this.#tell(`\n${name}`);
  }

  /** Adds a row; texts should be short, the reader compares them. Gives `ok`. */
  row(what: string, expected: string, seen: string, ok: boolean): boolean {
    this.rows.push({ group: this.#group, what, expected, seen, ok });
    this.#tell(ok ? `  ok      ${what}: ${seen}` : `  FAILED  ${what}: expected ${expected}, saw ${seen}`);
    return ok;
  }

  /** Adds a row that is good when both are deeply equal. */
  equal(what: string, expected: unknown, seen: unknown): boolean {
    return this.row(what, show(expected), show(seen), isDeepStrictEqual(expected, seen));
  }

  /** Adds a row that is good when `work` does not throw; it gives what was seen. */
  async works(what: string, work: () => Promise<string>): Promise<boolean> {
    try {
      return this.row(what, 'no error', await work(), true);
    } catch (error) {
      return this.row(what, 'no error', (error as Error).message, false);
    }
  }

  /** Notes what could not be tried. */
  cannotRun(what: string, why: string): void {
    this.notRun.push({ what, why });
    this.#tell(`  not run ${what}: ${why}`);
  }

  /** Whether something was looked at and nothing failed. */
  get ok(): boolean {
    return this.rows.length > 0 && this.rows.every(({ ok }) => ok);
  }

  /** All of it in Markdown. */
  markdown(): string {
    const groups = [...new Set(this.rows.map(({ group }) => group))];
    return [
      ...groups.flatMap((group) => [
        `## ${group}`,
        '',
        '| what | expected | seen | |',
        '| --- | --- | --- | --- |',
        ...this.rows
          .filter((row) => row.group === group)
          .map((row) => line([row.what, row.expected, row.seen, row.ok ? 'ok' : 'FAILED'])),
        '',
      ]),
      ...(this.notRun.length === 0
        ? []
        : [
            '## Not run',
            '',
            '| what | why |',
            '| --- | --- |',
            ...this.notRun.map(({ what, why }) => line([what, why])),
            '',
          ]),
    ].join('\n');
  }
}

function show(value: unknown): string {
  if (typeof value === 'string') return value;
  return value === undefined ? 'undefined' : JSON.stringify(value);
}

function line(cells: readonly string[]): string {
  return `| ${cells.map(plain).join(' | ')} |`;
}

/** Text that Markdown shows as it is, in one cell. */
function plain(cell: string): string {
  return cell.replaceAll(/[|<*]|__/g, (found) => found.replaceAll(/./g, '\\$&')).replaceAll('\n', ' ');
}

import type { Connection, Submittable } from 'pg';

/** What a cursor does with a connection, beyond what its types declare. */
interface CursorConnection {
  parse(query: object): void;
  bind(config: object): void;
  describe(message: object): void;
  execute(config: object): void;
  flush(): void;
}

/** A cursor that reads one row and is never closed. */
export class OpenCursor implements Submittable {
  /** Resolves when the server has given the first row and waits to be asked for more. */
  readonly suspended: Promise<void>;
  #suspend: () => void = () => undefined;

  constructor(private readonly text: string) {
    this.suspended = new Promise((resolve) => {
      this.#suspend = resolve;
    });
  }

  submit(connection: Connection): void {
    const protocol = connection as unknown as CursorConnection;
    protocol.parse({ text: this.text });
    protocol.bind({});
    protocol.describe({ type: 'P', name: '' });
    protocol.execute({ rows: 1 });
    protocol.flush();
  }

  handlePortalSuspended(): void {
    this.#suspend();
  }

  handleRowDescription(): void {
    // Nobody reads the rows.
  }

  handleDataRow(): void {
    // Nobody reads the rows.
  }

  handleError(): void {
    // Nobody waits for an end.
  }
}

import type { Connection, Submittable } from 'pg';

/** The methods of a connection that a cursor calls, which its types do not declare. */
interface CursorConnection {
  parse(query: object): void;
  bind(config: object): void;
  describe(message: object): void;
  execute(config: object): void;
  flush(): void;
}

/** A cursor that reads one row and is never closed. */
export class OpenCursor implements Submittable {
  /** Resolves when the server has sent the first row and waits for the next request. */
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
    // The rows are not read.
  }

  handleDataRow(): void {
    // The rows are not read.
  }

  handleError(): void {
    // Nothing waits for the end.
  }
}

import type { FakeReply, FakeSession } from './fake-server.js';

/** What a ReadyForQuery says of the transaction. */
export type TransactionState = 'I' | 'T' | 'E';

function message(type: string, body: Buffer | string = ''): Buffer {
  const bytes = Buffer.from(body);
  const head = Buffer.alloc(5);
  head.write(type);
  head.writeInt32BE(4 + bytes.length, 1);
  return Buffer.concat([head, bytes]);
}

const LOGGED_IN = Buffer.concat([
  message('R', Buffer.alloc(4)),
  message('K', Buffer.alloc(8)),
  message('Z', 'I'),
]);

/** A server without data that lets everybody in and answers each extended query with no rows, as PostgreSQL does. */
export class PlayedPostgres {
  /** Every text that it was sent, oldest first. */
  readonly texts: string[] = [];
  /** How far each session's bytes are read. */
  readonly #read = new WeakMap<FakeSession, number>();
  readonly #answer: (text: string) => TransactionState;

  /** `answer` gives the state of the transaction after each text; with `E` the query fails. */
  constructor(answer: (text: string) => TransactionState) {
    this.#answer = answer;
  }

  readonly reply: FakeReply = (session) => {
    let at = this.#read.get(session) ?? 0;
    const answers: Buffer[] = [];
    let text = '';
    for (const { received } = session; ;) {
      // The first message, which asks for a login, has no type.
      const typed = at > 0 ? 1 : 0;
      if (received.length < at + typed + 4) break;
      const end = at + typed + received.readInt32BE(at + typed);
      if (received.length < end) break;
      const type = typed === 0 ? '' : received.toString('latin1', at, at + 1);
      if (type === 'P') {
        // Behind the name, which ends with a zero, as the text does.
        const start = received.indexOf(0, at + 5) + 1;
        text = received.toString('utf8', start, received.indexOf(0, start));
      }
      answers.push(this.#answerTo(type, text));
      // A query's messages come together.
      at = end;
    }
    this.#read.set(session, at);
    // In one packet, as a server does that finds several queries.
    const bytes = Buffer.concat(answers);
    if (bytes.length > 0) session.socket.write(bytes);
  };

  #answerTo(type: string, text: string): Buffer {
    if (type === '') return LOGGED_IN;
    const fails = this.#answer(text) === 'E';
    switch (type) {
      case 'P':
        this.texts.push(text);
        return message('1');
      case 'B':
        return message('2');
      case 'D':
        return message('n');
      case 'E':
        return fails ? message('E', 'SERROR\0C22012\0Mdivision by zero\0\0') : message('C', 'SELECT 0\0');
      case 'S':
        return message('Z', this.#answer(text));
      default:
        return Buffer.alloc(0);
    }
  }
}

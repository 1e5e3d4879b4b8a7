import type { FakeReply, FakeSession } from './fake-server.js';

/** The transaction state in a ReadyForQuery. */
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

/** A server without data that accepts every login and answers each extended query with no rows, as PostgreSQL does. */
export class PlayedPostgres {
  /** Every query text that it received, oldest first. */
  readonly texts: string[] = [];
  /** How many of each session's bytes have been read. */
  readonly #read = new WeakMap<FakeSession, number>();
  readonly #answer: (text: string) => TransactionState;

  /** `answer` returns the state of the transaction after each text; with `E` the query fails. */
  constructor(answer: (text: string) => TransactionState) {
    this.#answer = answer;
  }

  readonly reply: FakeReply = (session) => {
    let at = this.#read.get(session) ?? 0;
    const answers: Buffer[] = [];
    let text = '';
    for (const { received } = session; ;) {
      // The first message, the login, has no type.
      const typed = at > 0 ? 1 : 0;
      if (received.length < at + typed + 4) break;
      const end = at + typed + received.readInt32BE(at + typed);
      if (received.length < end) break;
      const type = typed === 0 ? '' : received.toString('latin1', at, at + 1);
      if (type === 'P') {
        // The text follows the statement's name; both end with a zero byte.
        const start = received.indexOf(0, at + 5) + 1;
        text = received.toString('utf8', start, received.indexOf(0, start));
      }
      answers.push(this.#answerTo(type, text));
      // A query's messages arrive together.
      at = end;
    }
    this.#read.set(session, at);
    // In one packet, like a server that has received several queries at once.
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

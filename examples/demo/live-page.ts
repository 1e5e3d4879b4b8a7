import { follow } from '../../src/watch/follow.js';
import { History } from '../../src/watch/history.js';
import { LivePage } from '../../src/watch/live-page.js';
import type { Display } from './display.js';
import type { Telemetry } from './telemetry.js';

const EVERY_MS = 1_000;

/** The page that shows the running demo. */
export interface DemoPage extends Disposable {
  readonly url: string;
  /** Wraps a display so that the page is notified of phases as well. */
  beside(display: Display): Display;
  /** Adds a line to the page's log. */
  line(text: string): void;
}

/** Serves the page beside `/metrics`, from which it gets its data. */
export function serveLivePage({ metricsUrl, serve }: Telemetry): DemoPage {
  const history = new History('pgauge demo', { live: true, text: 'The demo starts' }, EVERY_MS);
  const page = new LivePage(history);
  serve((request, response) => page.handle(request, response));
  const stopped = new AbortController();
  void follow(new URL(metricsUrl), history, { intervalMs: EVERY_MS }, stopped.signal);
  return {
    url: new URL('/', metricsUrl).href,
    beside: (display) => ({
      everyMs: display.everyMs,
      say: (line) => display.say(line),
      log: (line) => {
        history.line(line);
        display.log(line);
      },
      begin: (phase) => {
        history.band(phase.name);
        display.begin(phase);
      },
      show: (view) => display.show(view),
      end: (result) => {
        history.endBand();
        display.end(result);
      },
      close: () => display.close(),
    }),
    line: (text) => history.line(text),
    [Symbol.dispose]: () => {
      stopped.abort();
      history.state({ live: false, text: 'The demo has ended. The last values are shown.' });
    },
  };
}

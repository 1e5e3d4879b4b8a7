import dns from 'node:dns';

// Loaded before the program that asks: its system's resolver gives RESOLVER as the code of its failure, hangs, or ends its process.
const { RESOLVER: code } = process.env;

dns.lookup = ((_host: string, _options: unknown, done: (error: NodeJS.ErrnoException) => void) => {
  // As a resolver that hangs, it keeps its process alive.
  if (code === 'hangs') setTimeout(() => undefined, 600_000);
  else if (code === 'ends') process.exit(0);
  else if (code === 'crashes') process.exit(1);
  else done(Object.assign(new Error('the resolver failed'), { code }));
}) as typeof dns.lookup;

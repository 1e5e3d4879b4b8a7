import dns from 'node:dns';

// Loaded before the program that resolves names: its resolver fails with the code RESOLVER, hangs, or ends its process.
const { RESOLVER: code } = process.env;

dns.lookup = ((_host: string, _options: unknown, done: (error: NodeJS.ErrnoException) => void) => {
  // A resolver that hangs keeps its process alive.
  if (code === 'hangs') setTimeout(() => undefined, 600_000);
  else if (code === 'ends') process.exit(0);
  else if (code === 'crashes') process.exit(1);
  else done(Object.assign(new Error('the resolver failed'), { code }));
}) as typeof dns.lookup;

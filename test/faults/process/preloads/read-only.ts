import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

// Loaded before a program: every write fails, and the program prints at exit what it tried to write.
const tried: string[] = [];

function refuse(path: unknown): never {
  tried.push(String(path));
  throw Object.assign(new Error(`EROFS: read-only file system, open '${String(path)}'`), { code: 'EROFS' });
}

const WRITERS = [
  'appendFile',
  'cp',
  'copyFile',
  'mkdir',
  'mkdtemp',
  'rename',
  'rm',
  'symlink',
  'unlink',
  'writeFile',
];
for (const name of WRITERS) {
  for (const holder of [fs, fs.promises] as unknown as Record<string, unknown>[]) holder[name] = refuse;
  (fs as unknown as Record<string, unknown>)[`${name}Sync`] = refuse;
}
const writes = (flags: unknown): boolean =>
  typeof flags === 'number'
    ? (flags & (fs.constants.O_WRONLY | fs.constants.O_RDWR)) !== 0
    : /[wa+]/.test(String(flags));
for (const [holder, name] of [
  [fs, 'open'],
  [fs, 'openSync'],
  [fs.promises, 'open'],
] as unknown as [Record<string, (...given: unknown[]) => unknown>, string][]) {
  const open = holder[name]?.bind(holder);
  holder[name] = (path, flags = 'r', ...rest) =>
    writes(flags) ? refuse(path) : open?.(path, flags, ...rest);
}
syncBuiltinESMExports();
process.on('exit', () => {
  if (tried.length > 0) fs.writeSync(2, `wrote: ${tried.join(', ')}\n`);
});

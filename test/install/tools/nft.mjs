// node nft.mjs <project> <outdir>: as Next.js and Nitro do, copies the files that the program can be seen to need.
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { nodeFileTrace } from '@vercel/nft';

const [, , base, outdir] = process.argv;
for (const [title, entry] of [
  ['traced esm', 'main.mjs'],
  ['traced cjs', 'main.cjs'],
]) {
  const { fileList } = await nodeFileTrace([join(base, entry)], { base });
  const folder = join(outdir, title);
  for (const file of fileList) await cp(join(base, file), join(folder, file), { recursive: true });
  const ending = entry.slice('main'.length);
  await cp(join(base, entry), join(folder, `index${ending}`));
}

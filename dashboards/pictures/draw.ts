import { drawPictures } from './draw-pictures.ts';
import { readOptions, usage, type Options } from './options.ts';

function optionsOrUsage(): Options | undefined {
  if (process.argv.includes('--help')) {
    console.log(usage);
    return undefined;
  }
  try {
    return readOptions(process.argv.slice(2));
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n${usage}`);
    process.exitCode = 2;
    return undefined;
  }
}

const options = optionsOrUsage();
if (options !== undefined) await drawPictures(options);

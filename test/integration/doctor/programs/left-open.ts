import { readArguments } from '../../../../src/doctor/arguments.js';
import { examine } from '../../../../src/doctor/examination.js';
import { settingsOf } from '../../../../src/doctor/settings.js';

// Runs the checks as the tool does, then prints what would keep the process alive.
const given = readArguments(process.argv.slice(2));
if (typeof given === 'string') throw new Error('no run was asked for');
const { steps } = await examine(settingsOf(given, process.env), process.env);
// Closed handles are gone after a turn of the loop.
await new Promise((resolve) => setTimeout(resolve, 100));
const open = process.getActiveResourcesInfo().filter((kind) => kind !== 'PipeWrap' && kind !== 'Timeout');
const timers = process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout');
console.log(JSON.stringify({ statuses: steps.map(({ status }) => status), open, timers }));

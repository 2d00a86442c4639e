import { cairn } from './cairn.js';
import { processSurroundings } from './surroundings.js';

// Output that nobody reads any more (`cairn run history … | head`) is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));
process.exitCode = await cairn(process.argv.slice(2), processSurroundings);

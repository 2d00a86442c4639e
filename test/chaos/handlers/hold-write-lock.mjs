// Holds the write lock of a libSQL file until it is told to end. Usage: node hold-write-lock.mjs <file>
import { createRequire } from 'node:module';

const Database = createRequire(new URL('../../../libs/adapters/event-store-libsql/package.json', import.meta.url))('libsql');
const database = new Database(process.argv[2], { timeout: 10_000 });
database.exec('BEGIN IMMEDIATE');
console.log('held');
process.once('SIGTERM', () => process.exit(0));
setInterval(() => undefined, 1_000);

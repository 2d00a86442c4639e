export { openLibsqlEventStore, POLL_MS, type LibsqlOptions } from './open.js';
export { FolderLocked, lockFolder, type FolderLock } from './lock-folder.js';

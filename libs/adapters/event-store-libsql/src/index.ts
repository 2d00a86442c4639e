export { openLibsqlEventStore, POLL_MS, type LibsqlOptions } from './open.js';
export { FolderLocked, lockFolder, shareFolder, type FolderLock } from './lock-folder.js';

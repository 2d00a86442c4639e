export { createFileArtifacts } from './file-artifacts.js';

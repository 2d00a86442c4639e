export { Fan, type FanHost, type FanParts, type Outcome } from './fan.js';
export { HeardReplicas, type ReplicaFollower } from './heard-replicas.js';
export type { Reply } from './reply.js';

export { Fan, type FanHost, type FanParts, type Outcome } from './exchange/fan.js';
export { HeardReplicas, type ReplicaFollower } from './exchange/heard-replicas.js';
export type { Reply } from './exchange/reply.js';

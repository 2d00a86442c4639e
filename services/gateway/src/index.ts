export { assembleGateway, type Gateway, type GatewayConfig, type GatewayParts } from './assemble.js';
export { createRemoteDesk, type RemoteDesk, type RemoteDeskParts } from './desk/remote-desk.js';
export { GATEWAY, type Exposition } from './doors/gateway-token.js';
export { ProblemFilter } from './doors/problem.filter.js';
export { GatewayModule, type GatewayModuleOptions } from './gateway.module.js';
export { RunRow } from './readmodels/run-row.js';
export { withKnownLabels } from './lifecycle-metrics/known-labels.js';
export { lifecycleMetricsOf } from './lifecycle-metrics/recompute.js';
export { gatewayEnv } from './config.js';

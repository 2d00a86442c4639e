/** Every route of the gateway as data: what answers 405 instead of 404, and what a spec walks through. `{…}` is one path segment. */
export const routes: readonly { readonly method: 'GET' | 'POST' | 'PUT'; readonly path: string }[] = [
  { method: 'GET', path: '/healthz' },
  { method: 'GET', path: '/readyz' },
  { method: 'GET', path: '/metrics' },
  { method: 'POST', path: '/v1/{ns}/workflows/{name}/runs' },
  { method: 'POST', path: '/v1/{ns}/events' },
  { method: 'GET', path: '/v1/{ns}/events' },
  { method: 'GET', path: '/v1/{ns}/events/{receiptId}' },
  { method: 'GET', path: '/v1/{ns}/runs' },
  { method: 'GET', path: '/v1/{ns}/runs/{id}' },
  { method: 'GET', path: '/v1/{ns}/runs/{id}/state' },
  { method: 'GET', path: '/v1/{ns}/runs/{id}/history' },
  { method: 'GET', path: '/v1/{ns}/runs/{id}/waits' },
  { method: 'POST', path: '/v1/{ns}/runs/{id}/waits/{wait}:preview' },
  { method: 'POST', path: '/v1/{ns}/runs/{id}/waits/{wait}:reschedule' },
  { method: 'POST', path: '/v1/{ns}/runs/{id}/waits/{wait}:fire' },
  { method: 'POST', path: '/v1/{ns}/runs/{id}/waits/{wait}:link' },
  { method: 'GET', path: '/v1/{ns}/runs/{id}/verify' },
  { method: 'GET', path: '/v1/{ns}/runs/{id}/why' },
  { method: 'GET', path: '/v1/{ns}/runs/{id}/retries' },
  { method: 'GET', path: '/v1/{ns}/runs/{id}/effects' },
  { method: 'GET', path: '/v1/{ns}/runs/{id}/effects/{key}' },
  { method: 'POST', path: '/v1/{ns}/runs/{id}/effects/{key}:reconcile' },
  { method: 'POST', path: '/v1/{ns}/runs/{id}/effects/{key}:compensate' },
  { method: 'GET', path: '/v1/{ns}/runs/{id}/branches' },
  { method: 'GET', path: '/v1/{ns}/runs/{id}/branches/{range}/diff' },
  { method: 'POST', path: '/v1/{ns}/runs/{id}/branches' },
  { method: 'POST', path: '/v1/{ns}/runs/{id}/branches:plan' },
  { method: 'POST', path: '/v1/{ns}/runs/{id}/branches/{branch}:abandon' },
  { method: 'GET', path: '/v1/{ns}/runs/{id}/result' },
  { method: 'GET', path: '/v1/{ns}/runs/{id}/stream' },
  { method: 'GET', path: '/v1/{ns}/runs/{id}/bundle' },
  { method: 'POST', path: '/v1/{ns}/bundles' },
  { method: 'POST', path: '/v1/{ns}/runs/{id}/signals/{name}' },
  { method: 'POST', path: '/v1/{ns}/runs/{id}:cancel' },
  { method: 'POST', path: '/v1/{ns}/runs/{id}:pause' },
  { method: 'POST', path: '/v1/{ns}/runs/{id}:unpause' },
  { method: 'GET', path: '/v1/{ns}/waits' },
  { method: 'GET', path: '/v1/{ns}/waits/{id}' },
  { method: 'GET', path: '/v1/{ns}/reviews' },
  { method: 'GET', path: '/v1/{ns}/reviews/{id}' },
  { method: 'POST', path: '/v1/{ns}/reviews/{id}:claim' },
  { method: 'POST', path: '/v1/{ns}/reviews/{id}:release' },
  { method: 'POST', path: '/v1/{ns}/reviews/{id}:reassign' },
  { method: 'POST', path: '/v1/{ns}/reviews/{id}:comment' },
  { method: 'POST', path: '/v1/{ns}/reviews/{id}:vote' },
  { method: 'POST', path: '/v1/{ns}/reviews/{id}:decide' },
  { method: 'POST', path: '/v1/{ns}/reviews/{id}:escalate' },
  { method: 'GET', path: '/v1/{ns}/definitions' },
  { method: 'GET', path: '/v1/{ns}/definitions/{name}' },
  { method: 'PUT', path: '/v1/{ns}/definitions/{name}' },
  { method: 'GET', path: '/v1/{ns}/policies' },
  { method: 'GET', path: '/v1/{ns}/policies/{name}' },
  { method: 'PUT', path: '/v1/{ns}/policies/{name}' },
  { method: 'PUT', path: '/v1/{ns}/artifacts' },
  { method: 'PUT', path: '/v1/{ns}/artifacts/{sha256}' },
  { method: 'GET', path: '/v1/{ns}/artifacts/{sha256}' },
  { method: 'GET', path: '/v1/callbacks/{token}' },
  { method: 'POST', path: '/v1/callbacks/{token}' },
  { method: 'POST', path: '/v1/{ns}/doctor:rebuild' },
  { method: 'POST', path: '/v1/{ns}/work:exchange' },
  { method: 'POST', path: '/v1/{ns}/work/{queue}:poll' },
  { method: 'POST', path: '/v1/{ns}/work/{attemptId}:heartbeat' },
  { method: 'POST', path: '/v1/{ns}/work/{attemptId}:reply' },
];

const patternOf = (path: string, segment: string): RegExp => new RegExp(`^${path.replace(/\{[a-zA-Z]+\}/g, segment)}$`);
const matchers = routes.map(({ method, path }) => ({ method, pattern: patternOf(path, '[^/]+') }));
const withEmptyParts = routes.map(({ path }) => patternOf(path, '[^/]*'));

/** The methods that a path has; empty for a path that is no route. */
export function methodsOf(path: string): readonly string[] {
  return matchers.filter(({ pattern }) => pattern.test(path)).map(({ method }) => method);
}

/** Whether a path is that of a route whose parameters are partly empty: `/v1/default/runs/`. */
export function isRouteWithoutParameter(path: string): boolean {
  return methodsOf(path).length === 0 && withEmptyParts.some((pattern) => pattern.test(path));
}

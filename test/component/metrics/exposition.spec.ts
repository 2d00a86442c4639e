import { spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { buckets } from '@cairn/domain-definition';
import { notRun, waitUntil } from '@cairn/testkit';
import { startStandalone, type Standalone } from '@cairn/standalone';

const DEFINITION = {
  cairn: 1,
  name: 'order',
  version: '1.0.0',
  steps: [{ id: 'go', wait: { any: [{ signal: 'go' }], noDeadline: { because: 'a person comes back' } } }],
};

/** `/metrics` of a real server (`experience.md` §2.1): what a scraper gets over HTTP, without a token. */
describe('/metrics', () => {
  let data: string;
  let server: Standalone;
  const start = (): Promise<Standalone> => startStandalone({ data, port: 0, ns: ['default', 'acme'], logLevel: 'silent' });
  beforeAll(async () => {
    data = await mkdtemp(join(tmpdir(), 'cairn-exposition-'));
    server = await start();
  });
  afterAll(async () => {
    await server.stop();
    await rm(data, { recursive: true });
  });

  const scrape = async (): Promise<{ readonly type: string | null; readonly lines: readonly string[] }> => {
    const response = await fetch(`${server.url}/metrics`);
    expect(response.status).toBe(200);
    return { type: response.headers.get('content-type'), lines: (await response.text()).split('\n') };
  };
  const call = async (method: string, path: string, body: unknown): Promise<Record<string, unknown>> => {
    const response = await fetch(`${server.url}/v1/default/${path}`, {
      method,
      headers: { authorization: `Bearer ${server.token}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    expect(response.status).toBeLessThan(300);
    return (await response.json()) as Record<string, unknown>;
  };

  it('is in the text format, and closed label sets begin at 0 in every namespace', async () => {
    const { type, lines } = await scrape();
    expect(type).toMatch(/^text\/plain; version=0\.0\.4/);
    for (const ns of ['default', 'acme']) {
      for (const bucket of [...buckets, 'other']) {
        expect(lines).toContain(`cairn_retry_attempts_total{ns="${ns}",bucket="${bucket}",decision="retry"} 0`);
        expect(lines).toContain(`cairn_retry_resolved_total{ns="${ns}",bucket="${bucket}"} 0`);
        expect(lines).toContain(`cairn_failure_to_decision_seconds_count{ns="${ns}",bucket="${bucket}",decider="policy"} 0`);
      }
      expect(lines).toContain(`cairn_events_total{ns="${ns}",outcome="unmatched"} 0`);
      expect(lines).toContain(`cairn_resumes_total{ns="${ns}",trigger="deadline",from="checkpoint",outcome="success"} 0`);
    }
  });

  it('is exact right after a run has ended, and after a restart', async () => {
    await call('PUT', 'definitions/order', DEFINITION);
    expect((await scrape()).lines).toEqual(
      expect.arrayContaining([
        'cairn_runs{ns="default",workflow="order",state="blocked"} 0',
        'cairn_runs_ended_total{ns="default",workflow="order",outcome="failed"} 0',
      ]),
    );
    const { runId } = await call('POST', 'workflows/order/runs', { key: 'k', input: {} });
    await call('POST', `runs/${String(runId)}/signals/go`, { data: {} });
    await waitUntil('the run is complete', async () => {
      const response = await fetch(`${server.url}/v1/default/runs/${String(runId)}`, {
        headers: { authorization: `Bearer ${server.token}` },
      });
      return ((await response.json()) as { readonly state?: string }).state === 'complete';
    });
    const expected = [
      'cairn_runs{ns="default",workflow="order",state="complete"} 1',
      'cairn_runs_ended_total{ns="default",workflow="order",outcome="succeeded"} 1',
      'cairn_resumes_total{ns="default",trigger="signal",from="checkpoint",outcome="success"} 1',
      'cairn_state_seconds_count{ns="default",workflow="order",state="waiting"} 1',
      'cairn_events_total{ns="default",outcome="started"} 1',
    ];
    expect((await scrape()).lines).toEqual(expect.arrayContaining(expected));
    await server.stop();
    server = await start();
    expect((await scrape()).lines).toEqual(expect.arrayContaining(expected));
  });

  it('passes promtool check metrics', async () => {
    if (spawnSync('promtool', ['--version']).status !== 0)
      return notRun('promtool check metrics', 'needs promtool; apt-get install prometheus');
    const checked = spawnSync('promtool', ['check', 'metrics'], { input: (await scrape()).lines.join('\n'), encoding: 'utf8' });
    expect({ status: checked.status, says: checked.stdout + checked.stderr }).toEqual({ status: 0, says: '' });
  });
});

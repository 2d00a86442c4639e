import { join } from 'node:path';
import { CLOCK_SKEW_MS, parseRfc3339, spanText } from '@cairn/kernel';
import { busStreams } from '@cairn/contracts';
import { withoutPassword, type NatsConnection } from '../bus/nats-access.js';
import { failed, ok, unreachable, unseen, type Finding } from './finding.js';
import { get } from './gateway.js';
import type { Patient } from './patient.js';
import { serverInfo, type ServerInfo } from './server-info.js';

const START = 'nats-server --config deploy/nats/nats-server.conf';
const NAME_IT = 'name the folder of the stack by --data or CAIRN_DATA, or its nats-server by --nats or CAIRN_NATS_URL';
/** What we ship (`facts.md` §2.3): a power cut then costs about a second of doorbells. */
const SYNC_NS_MAX = 1e9;
const NS_PER_MS = 1e6;
const MONITOR_PORT = 8_222;

/** What the server says of itself: there, new enough, with JetStream. Without `info` it makes no sense to go on. */
export async function checkServer({ nats, data }: Patient): Promise<{ readonly findings: readonly Finding[]; readonly info?: ServerInfo }> {
  const { isBelowFloor, SERVER_FLOOR } = await import('@cairn/bus-jetstream');
  const answers = await Promise.all(nats.url.split(',').map(async (url) => [url, await serverInfo(url.trim())] as const));
  const silent = answers.flatMap(([url, answer]) => (typeof answer === 'string' ? `${withoutPassword(url)}: ${answer}` : []));
  const [info] = answers.flatMap(([, answer]) => (typeof answer === 'string' ? [] : answer));
  if (info === undefined) {
    const where = nats.origin === 'default' ? `; none is named by --nats, CAIRN_NATS_URL or ${join(data, 'server.json')}` : '';
    const fix = nats.origin === 'default' ? NAME_IT : START;
    return { findings: [unreachable('nats-server', `no nats-server answers: ${silent.join('; ')}${where}`, fix)] };
  }
  const findings = [
    silent.length === 0
      ? ok('nats-server', `answers at ${withoutPassword(nats.url)} (${nats.origin})`)
      : failed('nats-server', `${silent.length} of ${answers.length} do not answer`, START, silent),
    isBelowFloor(info.version)
      ? failed('nats version', `${info.version} is too old: at least ${SERVER_FLOOR.join('.')}`, 'npm run stack')
      : ok('nats version', `${info.version} (at least ${SERVER_FLOOR.join('.')})`),
    info.jetstream === true ? ok('jetstream', 'on') : failed('jetstream', 'off', START),
  ];
  return { findings, ...(findings.some(({ check, status }) => check !== 'nats-server' && status === 'failed') ? {} : { info }) };
}

interface Varz {
  readonly server_id?: string;
  readonly jetstream?: { readonly config?: { readonly sync_interval?: number; readonly sync_always?: boolean } };
}

/** How often the server writes its files through, if its monitoring may be asked. */
export async function checkSync({ nats, monitor }: Patient, info: ServerInfo): Promise<Finding> {
  const check = 'sync_interval';
  const { hostname } = new URL(nats.url.split(',')[0] ?? '');
  const url = monitor ?? `http://${hostname}:${MONITOR_PORT}`;
  const varz = (await get(`${url.replace(/\/+$/, '')}/varz`))?.body as Varz | undefined;
  // Somebody else's server may listen there (T-12).
  if (varz?.server_id !== info.server_id)
    return unseen(check, `not visible: ${url} is not the monitoring of this server (--monitor <url>)`);
  const { sync_always: always = false, sync_interval: ns = Number.POSITIVE_INFINITY } = varz.jetstream?.config ?? {};
  if (always) return ok(check, 'always');
  if (ns <= SYNC_NS_MAX) return ok(check, spanText(ns / NS_PER_MS));
  return failed(
    check,
    `${Number.isFinite(ns) ? spanText(ns / NS_PER_MS) : 'not set'}: a power cut costs that much of what was acknowledged`,
    START,
  );
}

/** How far the server's clock is from ours. */
export async function checkClock(connection: NatsConnection): Promise<Finding> {
  const check = 'clock, nats';
  const { serverTime } = await import('@cairn/bus-jetstream');
  const asked = Date.now();
  const there = await serverTime(connection, busStreams[0]?.name ?? '');
  const back = Date.now();
  const at = there === undefined ? undefined : parseRfc3339(there);
  if (at === undefined) return unseen(check, 'not visible before the bus was applied');
  const apartMs = at < asked ? asked - at : Math.max(0, at - back);
  if (apartMs <= CLOCK_SKEW_MS) return ok(check, `${apartMs} ms apart at most`);
  return failed(check, `the server's clock is ${spanText(apartMs)} ${at < asked ? 'behind' : 'ahead of'} ours`, 'chronyc makestep');
}

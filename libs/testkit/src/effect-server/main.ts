// A target of effects, a process of its own. `POST /keyed` honours the Idempotency-Key: one key is one effect. `POST /plain` acts each time
// it is asked. `POST /mood` says how it behaves from now on. Usage: node main.js <ledger file> [port]
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Mood } from './behaviour.js';
import { Ledger } from './ledger.js';

const [path = './effects.jsonl', port = '0'] = process.argv.slice(2);
const ledger = new Ledger(path);
let mood: Mood = { behaviour: 'ok' };

const server = createServer((request, response) => void answer(request, response));
server.listen(Number(port), '127.0.0.1', () => console.log(`http://127.0.0.1:${(server.address() as AddressInfo).port}`));

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  let body = '';
  for await (const chunk of request) body += String(chunk);
  if (request.url === '/mood') {
    mood = JSON.parse(body) as Mood;
    return reply(response, 200, mood);
  }
  const key = request.headers['idempotency-key'];
  if (typeof key !== 'string' || (request.url !== '/keyed' && request.url !== '/plain')) return reply(response, 400, { error: 'no key' });
  const { behaviour, ms = 0 } = takeMood();
  ledger.write({ kind: 'request', key, body });
  if (behaviour === '500' || behaviour === '429')
    return reply(response, Number(behaviour), { error: behaviour }, behaviour === '429' ? { 'retry-after': '1' } : {});
  if (behaviour === 'hang') return;
  const known = ledger.done.get(key);
  const replayed = request.url === '/keyed' && known !== undefined;
  if (replayed && known.body !== body) return reply(response, 422, { error: 'this key was used for something else' });
  if (!replayed) ledger.write({ kind: 'effect', key, body });
  if (behaviour === 'answer-lost') return void request.socket.destroy();
  if (behaviour === 'slow') await new Promise((resolve) => setTimeout(resolve, ms));
  reply(response, 200, { key, replayed });
}

function takeMood(): Mood {
  const now = mood;
  if (now.times !== undefined) mood = now.times > 1 ? { ...now, times: now.times - 1 } : { behaviour: 'ok' };
  return now;
}

function reply(response: ServerResponse, status: number, body: object, headers: Record<string, string> = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify(body));
}

// Publishes one event with the stock NATS client and prints its receipt.  node publish.mjs <type> <data as JSON> [key] [id]
import { createHash, randomUUID } from 'node:crypto';
import { connect } from '@nats-io/transport-node';

const [type, data, key, id = randomUUID()] = process.argv.slice(2);
const ns = process.env.CAIRN_NS ?? 'default';
const source = '/shop';
const event = { specversion: '1.0', id, source, type, data: JSON.parse(data), ...(key === undefined ? {} : { cairnkey: key }) };

const nats = await connect({ servers: (process.env.CAIRN_NATS_URL ?? 'nats://127.0.0.1:4222').split(',') });
const receipts = nats.subscribe(`cairn.${ns}.evt.receipt.receipt-settled.${receiptId(source, id)}`, { max: 1 });
const publish = () => nats.publish(`cairn.${ns}.in.${type.replace(/\.v[0-9]+$/, '')}`, JSON.stringify(event));
publish();
const again = setInterval(publish, 5_000); // The receipt is the promise. The same id counts once, so sending again is safe.
for await (const message of receipts) console.log(JSON.stringify(message.json(), undefined, 2));
clearInterval(again);
await nats.close();

/** Where the receipt will be: a UUIDv5 as 26 Crockford characters (docs/reference/history.md, "Ids"). */
function receiptId(...identity) {
  const space = Buffer.from('6f1d3c52a9e84b5c9d07c41b5e2f8a63', 'hex');
  const bytes = createHash('sha1').update(space).update(JSON.stringify(['receipt', ns, ...identity])).digest().subarray(0, 16); // prettier-ignore
  bytes[6] = (bytes[6] & 0x0f) | 0x50;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  let text = '';
  for (let rest = BigInt(`0x${bytes.toString('hex')}`); text.length < 26; rest >>= 5n) {
    text = '0123456789abcdefghjkmnpqrstvwxyz'[Number(rest & 31n)] + text;
  }
  return text;
}

import { Http } from '../http.mjs';

/** What all bus streams have taken in, and what all their consumers have acknowledged, by the server's own numbers. */
export async function busTraffic(monitor) {
  const http = new Http({ url: monitor, sockets: 1 });
  const { account_details: accounts = [] } = JSON.parse(await http.send('GET', '/jsz?accounts=1&streams=1&consumers=1'));
  http.close();
  const streams = accounts.flatMap(({ stream_detail: details = [] }) => details);
  const consumers = streams.flatMap(({ consumer_detail: details = [] }) => details);
  return {
    publishes: streams.reduce((sum, { state }) => sum + state.last_seq, 0),
    acks: consumers.reduce((sum, { ack_floor: floor }) => sum + (floor?.consumer_seq ?? 0), 0),
    byStream: Object.fromEntries(streams.map(({ name, state }) => [name, state.last_seq])),
  };
}

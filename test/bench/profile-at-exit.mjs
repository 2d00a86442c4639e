// Loaded into a service by `NODE_OPTIONS=--import`, where node does not take `--cpu-prof`: writes where its time went when it ends.
import { writeFileSync } from 'node:fs';
import { Session } from 'node:inspector';
import { basename, join } from 'node:path';

const session = new Session();
session.connect();
session.post('Profiler.enable');
session.post('Profiler.start');
process.on('exit', () => {
  session.post('Profiler.stop', (error, { profile }) => {
    const name = `${basename(process.argv[1], '.js')}-${process.pid}.cpuprofile`;
    if (error === null) writeFileSync(join(process.env.BENCH_PROFILES, name), JSON.stringify(profile));
  });
});

import { lostHandlers, lostServer } from './lost-process.mjs';
import { parking } from './parking.mjs';
import { signals } from './signals.mjs';
import { throughput } from './throughput.mjs';

/** What `workloads` name as `take`. */
export const measures = { throughput, signals, parking, lostHandlers, lostServer };

/** What each figure is, for whoever reads the JSON. */
export const how = {
  stepsPerSecond: 'steps of all measured runs / seconds from the first start to the last result, as the client sees it',
  cpuMsPerStep: 'user + system CPU of server, handler and client processes (/proc/<pid>/stat) / steps',
  stepP50Ms:
    'in the handler process: from one step of a run to its next; handlers return at once, so it is reply, append with fsync, dispatch',
  runP50Ms: 'in the client: from sending the start to the result; W3: from sending the signal to the result, which is already waited for',
  fsyncLimitPerSecond: 'append of 1 KiB + fdatasync, one writer, one second, in the same folder, just before the row',
  busPerStep:
    "stack: messages that all bus streams took in, and acknowledgements of all their consumers, by the server's own numbers (jsz) / steps",
  seconds: 'W4: from the first start until the engine says that all runs wait',
  diskBytesPerRun:
    'W4: growth of all files in the data folder / runs, and by its first level; what an engine has only in memory yet is not in it',
  memoryMb: 'W4: resident memory of each part when all wait; memoryMbMore: what it grew by since the warm-up',
  secondsFromRestart: 'W6, W8: from the moment that the second process is ready (it starts right after the kill) to the last result',
  stepsRunAgain: 'W6, W8: steps begun in the handler process beyond one a step',
  tenths: 'W5, in the handler process: rate of arrivals in the first and last tenth of the run',
  ratio: 'to the peer in its best set-up in the same run; above 1 is better than it',
};

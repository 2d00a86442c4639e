// What a handler process notes for the bench, the same for every engine. Asked over IPC, it starts a new notebook or hands it over.

let lastByRun = new Map();
let stepMs = [];
/** When each step of the measured runs came. */
let arrivals = [];

/** A step of `run` came. Handlers return at once, so the time since its last one is reply, append with fsync and dispatch. */
export function came(run) {
  const now = performance.now();
  const last = lastByRun.get(run);
  if (last !== undefined) stepMs.push(now - last);
  lastByRun.set(run, now);
  arrivals.push(now);
}

/** Serves the bench until it hangs up, then calls `stop`. */
export function serveNotes(stop) {
  process.on('message', (message) => {
    if (message === 'begin') {
      lastByRun = new Map();
      stepMs = [];
      arrivals = [];
      process.send('begun');
    } else if (message === 'report') process.send({ stepMs, arrivals });
  });
  process.on('disconnect', () => void stop().then(() => process.exit(0)));
}

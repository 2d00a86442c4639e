/**
 * Time as far as this process was let run: turns of its event loop, a millisecond or more apart. While the machine holds the process up, time
 * goes on and this does not. An upper bound on it is a claim about the pauses of what runs in this process, whoever else is on its cores; it
 * tells nothing of what other processes take.
 */
export class OwnTime {
  private turns = 0;
  private timer: NodeJS.Timeout;

  private constructor() {
    const turn = (): NodeJS.Timeout =>
      setTimeout(() => {
        this.turns += 1;
        this.timer = turn();
      }, 1);
    this.timer = turn();
  }

  static start(): OwnTime {
    return new OwnTime();
  }

  /** Milliseconds until now, of which it counts no more. */
  stop(): number {
    clearTimeout(this.timer);
    return this.turns;
  }
}

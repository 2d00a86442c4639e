import { EsdbStandIn, TcpProxy } from '@cairn/testkit';

/**
 * The EventStoreDB of a cluster: the one that `CAIRN_TEST_ESDB` names, or the stand-in, in this process and in memory. Each service reaches
 * it over a link of its own. The stand-in really stands still and dies; of a server that is named, everybody loses the links.
 */
export class EventStoreDb {
  private readonly links = new Map<string, TcpProxy>();
  private away = false;

  private constructor(
    /** Without any link between. */
    readonly url: string,
    readonly standIn: EsdbStandIn | undefined,
  ) {}

  static async start(): Promise<EventStoreDb> {
    const named = process.env['CAIRN_TEST_ESDB'] ?? '';
    if (named !== '') return new EventStoreDb(named, undefined);
    const standIn = await EsdbStandIn.start();
    return new EventStoreDb(standIn.url, standIn);
  }

  /** The link of one service; made when it is first asked for. */
  async link(name: string): Promise<TcpProxy> {
    const link = this.links.get(name) ?? (await TcpProxy.start(() => this.target()));
    this.links.set(name, link);
    return link;
  }

  /** The connection string for whoever comes over this link. */
  urlOver({ port }: TcpProxy): string {
    return this.url.replace(`:${this.target(false).port}`, `:${port}`);
  }

  freeze(): void {
    this.standIn?.faults.freeze();
    if (this.standIn === undefined)
      for (const link of this.links.values()) link.spoil({ requests: { mute: 'hold' }, answers: { mute: 'hold' } });
  }

  thaw(): void {
    this.standIn?.faults.thaw();
    if (this.standIn === undefined) for (const link of this.links.values()) link.heal();
  }

  async kill(): Promise<void> {
    this.away = true;
    for (const link of this.links.values()) link.reset();
    await this.standIn?.kill();
  }

  async startAgain(): Promise<void> {
    await this.standIn?.startAgain();
    this.away = false;
  }

  async dispose(): Promise<void> {
    await Promise.all([...this.links.values()].map((link) => link.close()));
    await this.standIn?.kill();
  }

  private target(away = this.away): { host: string; port: number } {
    const { hostname, port } = new URL(this.url);
    return { host: hostname, port: away ? NOBODY : Number(port) };
  }
}

/** A port at which nobody listens. */
const NOBODY = 1;

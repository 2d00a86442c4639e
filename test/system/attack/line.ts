// What lies between a worker session and the server: a line on which chosen frames are lost, doubled or late, in either direction.
import { Agent, createServer, request as forward, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export type Fault = 'lost' | 'doubled' | 'late' | 'very late';
/** What of an effect is on its way. A grant is the answer that holds its task; an answer to a reply says that it was taken. */
export type Place = 'grant' | 'reply' | 'answer to the reply';

export interface Attack {
  readonly place: Place;
  readonly fault: Fault;
}

/**
 * Longer than a session may be silent (1.5 s), so what comes then comes to one that was given up: while its sender still listens, and when
 * he has given the answer up himself.
 */
const LATE_MS = { late: 1_700, 'very late': 2_600 } as const;

interface Frame {
  readonly body: string;
  readonly asked: { readonly replies: readonly { readonly data?: { readonly lease?: { readonly attemptId?: string } } }[] };
}
interface Answer {
  readonly tasks?: readonly {
    readonly data?: { readonly claim?: boolean; readonly kind?: string; readonly lease: { readonly attemptId: string } };
  }[];
}

/** Forwards frames, and does to each what `next` says of its place. Effects alone are looked at; all else passes. */
export class AttackedLine {
  private readonly effects = new Set<string>();
  private delayed = 0;
  private constructor(
    private readonly server: Server,
    private readonly agent: Agent,
    readonly url: string,
  ) {}

  static async start(target: string, next: (place: Place) => Fault | undefined): Promise<AttackedLine> {
    const agent = new Agent({ keepAlive: true });
    const server = createServer((asked, answer) => void line.pass(target, asked, answer, next).catch(() => answer.destroy()));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const line = new AttackedLine(server, agent, `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    return line;
  }

  /** Nothing is held back any more. */
  get isQuiet(): boolean {
    return this.delayed === 0;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    this.agent.destroy();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private async pass(
    target: string,
    asked: IncomingMessage,
    answer: ServerResponse,
    next: (place: Place) => Fault | undefined,
  ): Promise<void> {
    const body = await textOf(asked);
    const send = (): Promise<{ readonly status: number; readonly text: string }> => this.send(target, asked, body);
    const isReply = asked.url?.endsWith('work:exchange') === true && this.isReplyOfEffect(body);
    const onReply = isReply ? next('reply') : undefined;
    if (onReply === 'lost') return void answer.destroy();
    if (onReply === 'late' || onReply === 'very late') await this.late(onReply);
    if (onReply === 'doubled') await send();
    const { status, text } = await send();
    const isGrant = this.noteEffects(text);
    const onAnswer = isGrant ? next('grant') : isReply ? next('answer to the reply') : undefined;
    if (onAnswer === 'lost') return void answer.destroy();
    if (onAnswer === 'late' || onAnswer === 'very late') await this.late(onAnswer);
    answer.writeHead(status, { 'content-type': 'application/json' }).end(text);
    if (onAnswer === 'doubled') void send().catch(() => undefined); // The frame comes twice, so its answer is given twice; nobody hears the second.
  }

  private async late(by: keyof typeof LATE_MS): Promise<void> {
    this.delayed += 1;
    await new Promise((resolve) => setTimeout(resolve, LATE_MS[by]));
    this.delayed -= 1;
  }

  private send(target: string, { url, method, headers }: IncomingMessage, body: string): Promise<{ status: number; text: string }> {
    return new Promise((resolve, reject) => {
      const { host: _, connection: __, ...rest } = headers;
      const out = forward(new URL(url ?? '/', target), {
        method,
        headers: { ...rest, 'content-length': Buffer.byteLength(body) },
        agent: this.agent,
      });
      out.on('error', reject).on('response', (response) => {
        textOf(response).then((text) => resolve({ status: response.statusCode ?? 502, text }), reject);
      });
      out.end(body);
    });
  }

  private isReplyOfEffect(body: string): boolean {
    const { replies = [] } = JSON.parse(body === '' ? '{}' : body) as Frame['asked'];
    return replies.some(({ data }) => this.effects.has(data?.lease?.attemptId ?? ''));
  }

  /** Remembers the attempts of effects that the answer holds; whether it holds any. */
  private noteEffects(text: string): boolean {
    const { tasks = [] } = JSON.parse(text) as Answer;
    const effects = tasks.flatMap(({ data }) => (data?.kind === 'effect' ? [data.lease.attemptId] : []));
    for (const attemptId of effects) this.effects.add(attemptId);
    return effects.length > 0;
  }
}

async function textOf(stream: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

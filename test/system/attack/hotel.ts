// A target that books rooms and counts. It answers well, or books and then says nothing, or says it too late.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export type HotelFault = 'answer lost' | 'answer late' | 'request lost';
/** Longer than anybody here waits for the hotel. */
const LATE_MS = 1_500;
export const PATIENCE_MS = 400;

export class Hotel {
  /** Every booking that was made: the key that it came with. */
  readonly bookings: string[] = [];
  private readonly faults = new Map<string, HotelFault[]>();
  private constructor(private readonly server: Server) {}

  static async start(): Promise<Hotel> {
    const server = createServer((asked, answer) => void hotel.serve(asked, answer));
    const hotel = new Hotel(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return hotel;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** What befalls the next requests for a key, one after the other. */
  befall(key: string, faults: readonly HotelFault[]): void {
    this.faults.set(key, [...faults]);
  }

  /** How often a room was booked for a key, under any suffix. */
  countOf(key: string): number {
    return this.bookings.filter((booked) => booked === key || booked.startsWith(`${key}#`)).length;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private async serve(asked: IncomingMessage, answer: ServerResponse): Promise<void> {
    const { searchParams, pathname } = new URL(asked.url ?? '/', 'http://hotel');
    const key = searchParams.get('key') ?? '';
    const isBooked = this.bookings.includes(key);
    const say = (): void => void answer.end(JSON.stringify({ room: key, isBooked }));
    if (pathname === '/find') return say();
    const fault = this.faults.get(key)?.shift();
    if (fault === 'request lost') return void answer.destroy();
    const honours = searchParams.get('honours') === 'true';
    if (!honours || !isBooked) this.bookings.push(key);
    if (fault === 'answer lost') return void answer.destroy();
    if (fault === 'answer late') await new Promise((resolve) => setTimeout(resolve, LATE_MS));
    say();
  }
}

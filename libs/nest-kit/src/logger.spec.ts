import { describe, expect, it } from '@jest/globals';
import { createLog, NestLog } from './logger.js';

function recorded(): { readonly lines: Record<string, unknown>[]; readonly log: ReturnType<typeof createLog> } {
  const lines: Record<string, unknown>[] = [];
  return {
    lines,
    log: createLog({ service: 'spec', to: { write: (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>) } }),
  };
}

describe('the log', () => {
  it('writes one JSON line an occurrence, with service, level and ids', () => {
    const { lines, log } = recorded();
    log.info('branch opened', { run: 'r1', branch: 'b2' });
    expect(lines).toEqual([
      { level: 'info', time: expect.stringMatching(/^\d{4}-.*Z$/), service: 'spec', run: 'r1', branch: 'b2', msg: 'branch opened' },
    ]);
  });

  it('tells of an error its class, code and frames, and never its message', () => {
    const { lines, log } = recorded();
    log.error('append', {}, Object.assign(new RangeError('token is s3cr3t\nline two'), { code: 'bad' }));
    expect(lines).toMatchObject([{ level: 'error', cause: 'RangeError', code: 'bad', stack: expect.stringContaining('at ') }]);
    expect(JSON.stringify(lines)).not.toContain('s3cr3t');
  });

  it('redacts what must not be in a line, and keeps control characters out of it (B-51)', () => {
    const { lines, log } = recorded();
    log.warn('odd\u001b[31m\nname', { token: 's3cr3t', authorization: 's3cr3t' });
    expect(lines).toMatchObject([{ token: '[redacted]', authorization: '[redacted]' }]);
    expect(lines).toHaveLength(1);
  });

  it("takes Nest's own messages", () => {
    const { lines, log } = recorded();
    new NestLog(log).error(new Error('s3cr3t'), undefined, 'Router');
    new NestLog(log).warn('careful', 'Router');
    new NestLog(log).error('Error: listen EADDRINUSE: address already in use 127.0.0.1:4300', 'NestApplication'); // Thrown, too.
    expect(lines).toMatchObject([
      { level: 'error', context: 'Router' },
      { level: 'warn', msg: 'careful' },
    ]);
  });
});

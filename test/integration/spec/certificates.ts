import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Paths of PEM files. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

/** Why certificates cannot be made here, if so: node signs none itself. */
export function missingOpenssl(): string | undefined {
  return spawnSync('openssl', ['version']).status === 0 ? undefined : 'needs openssl; apt-get install openssl';
}

/** A certificate authority of one spec, in a folder of its own. */
export class Authority {
  readonly cert: string;
  private readonly key: string;

  constructor(
    private readonly folder: string,
    private readonly name: string,
  ) {
    this.cert = join(folder, `${name}.pem`);
    this.key = join(folder, `${name}.key`);
    openssl(['req', '-x509', ...fresh(this.key), '-subj', `/CN=${name}`, '-days', '1', '-out', this.cert]);
  }

  /** Of a server: valid for these names (`IP:127.0.0.1`, `DNS:localhost`). */
  server(name: string, alternatives: string): Certificate {
    return this.sign(name, `subjectAltName=${alternatives}\nextendedKeyUsage=serverAuth\n`);
  }

  client(name: string): Certificate {
    return this.sign(name, 'extendedKeyUsage=clientAuth\n');
  }

  private sign(name: string, extensions: string): Certificate {
    const file = (ending: string): string => join(this.folder, `${this.name}-${name}.${ending}`);
    writeFileSync(file('ext'), extensions);
    openssl(['req', '-new', ...fresh(file('key')), '-subj', `/CN=${name}`, '-out', file('csr')]);
    const by = ['-CA', this.cert, '-CAkey', this.key, '-CAcreateserial', '-days', '1', '-extfile', file('ext')];
    openssl(['x509', '-req', '-in', file('csr'), ...by, '-out', file('pem')]);
    return { cert: file('pem'), key: file('key') };
  }
}

const fresh = (key: string): string[] => ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', key];

function openssl(args: readonly string[]): void {
  const { status, stderr } = spawnSync('openssl', args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`openssl ${args[0] ?? ''}: ${stderr}`);
}

const PARTS = /^(?<scheme>esdb|esdb\+discover):\/\/(?:(?<user>[^:@/?]+):(?<password>[^@/?]+)@)?(?<hosts>[^@/?#]+)\/?(?<options>\?.*)?$/;
const HOST = /^[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?(?::(?<port>[0-9]{1,5}))?$/;
const OPTIONS: ReadonlySet<string> = new Set(
  [
    ...['tls', 'tlsVerifyCert', 'tlsCAFile', 'userCertFile', 'userKeyFile', 'nodePreference', 'maxDiscoverAttempts', 'discoveryInterval'],
    ...['gossipTimeout', 'keepAliveInterval', 'keepAliveTimeout', 'defaultDeadline', 'connectionName'],
  ].map((name) => name.toLowerCase()),
);
const DEFAULT_PORT = 2_113;
const PORT_MAX = 65_535;

/**
 * `host:port`, by comma where there are several, of an EventStoreDB connection string: without credentials and options, so that it may be
 * logged. Throws an `Error` that names the rule a bad one breaks, and quotes nothing of it that could be a secret.
 */
export function esdbAddress(url: string): string {
  const parts = PARTS.exec(url.trim())?.groups;
  if (parts === undefined) {
    throw new Error(
      'an EventStoreDB address is esdb://[user:password@]host[:port][,host[:port]…][?option=value&…], or the same with esdb+discover://',
    );
  }
  checkOptions(parts['options']);
  return (parts['hosts'] ?? '')
    .split(',')
    .map((host) => {
      const match = HOST.exec(host);
      const port = Number(match?.groups?.['port'] ?? DEFAULT_PORT);
      if (match === null || port < 1 || port > PORT_MAX) {
        throw new Error(
          'each host of an EventStoreDB address is a name or an IPv4 address, and a port from 1 to 65535 if another than 2113',
        );
      }
      return `${host.replace(/:.*/, '')}:${port}`;
    })
    .join(',');
}

function checkOptions(text = '?'): void {
  const seen = new Set<string>();
  for (const pair of text.slice(1).split('&').filter(Boolean)) {
    const [, rawName = '', value = ''] = /^([^=]*)=?(.*)$/.exec(pair) ?? [];
    const name = rawName.toLowerCase().replaceAll(/[_-]/g, '');
    if (!OPTIONS.has(name)) {
      // Most of all `throwOnAppendFailure`: off, a conflict would look like a success.
      throw new Error(
        `${/^[A-Za-z_-]{1,40}$/.test(rawName) ? `option ${rawName}` : 'an option'} of an EventStoreDB address is not one that Cairn takes`,
      );
    }
    if (value === '' || seen.has(name)) throw new Error(`option ${rawName} of an EventStoreDB address needs one value`);
    if (name === 'tls' && value !== 'true' && value !== 'false') throw new Error('option tls of an EventStoreDB address is true or false');
    seen.add(name);
  }
}

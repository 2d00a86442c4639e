// Where things lie and what their places follow from, by docs/reference/history.md.
import { expect } from '@jest/globals';
import { openLibsqlEventStore } from '@cairn/event-store-libsql';
import { id } from '../../../examples/read-the-history/checks.mjs';
import { digestOf, type Fields, type Recorded, type Value } from '../../../examples/read-the-history/encoding.mjs';
import { inboxId } from './inbox-id.js';

/** A stream's name follows from what its events say, and so do the digests that they carry. */
export function checkPlace({ stream, revision, type, data, metadata }: Recorded, artifact: (hex: string) => Value): void {
  const text = (name: string): string => String(data[name]);
  const ns = String(metadata['ns']);
  const writers: Fields = {
    receipt: 'service:scheduling',
    inbox: 'service:scheduling',
    workflow: 'user:local',
  };
  const category = stream.slice(0, stream.indexOf('-'));
  if (category === 'review')
    expect([stream, /^(user:local|service:human-review)$/.test(String(metadata['actor']))]).toEqual([stream, true]);
  else if (category === 'policy')
    expect([stream, /^(user:local|service:retry-policy)$/.test(String(metadata['actor']))]).toEqual([stream, true]);
  else if (category !== 'run') expect([stream, metadata['actor']]).toEqual([stream, writers[category]]);
  switch (type) {
    case 'EventReceived': {
      expect(stream).toBe(`receipt-${id('receipt', ns, text('source'), text('id'))}`);
      const ref = data['dataRef'] as Fields | undefined;
      const meant: Fields = {};
      for (const name of ['type', 'subject', 'key', 'dataschema', 'target', 'control', 'data'])
        if (data[name] !== undefined) meant[name] = data[name] ?? null;
      if (ref !== undefined) meant['data'] = artifact(String(ref['artifact']).slice('sha256:'.length));
      expect([stream, data['bodyDigest']]).toEqual([stream, digestOf(meant)]);
      break;
    }
    case 'ReviewOpened':
      expect(stream).toBe(`review-${text('reviewId')}`);
      break;
    case 'EventKept':
      expect(stream).toBe(`inbox-${inboxId(ns, text('type'), text('key'))}`);
      break;
    case 'DefinitionApplied':
      expect([stream, text('hash')]).toEqual([`workflow-${ns}+${text('name')}`, `sha256:${digestOf(data['definition'] ?? null)}`]);
      break;
    case 'PolicyApplied':
      expect([stream, data['version'], text('hash')]).toEqual([
        `policy-${ns}+${text('name')}`,
        revision + 1,
        `sha256:${digestOf(data['policy'] ?? null)}`,
      ]);
      break;
  }
}

/** Every artifact that an event names in a place of its own. */
export function refsOf(value: Fields): { artifact: string; bytes: number }[] {
  return Object.entries(value).flatMap(([name, member]) => {
    if (member === null || typeof member !== 'object' || Array.isArray(member)) return [];
    return name === 'outputRef' || name === 'dataRef' || name === 'definitionRef'
      ? [member as unknown as { artifact: string; bytes: number }]
      : name === 'reply'
        ? refsOf(member)
        : [];
  });
}

/** How an adapter lays events out is its own affair: it is asked for them, and nothing else of it is believed. */
export async function allStreams(file: string): Promise<ReadonlyMap<string, readonly Recorded[]>> {
  const store = await openLibsqlEventStore({ file });
  const found = new Map<string, Recorded[]>();
  await new Promise<void>((caughtUp, onFault) => {
    const deliver = (events: readonly { readonly event: { readonly stream: string } }[]): void => {
      for (const { event } of events as unknown as readonly { event: Recorded }[]) {
        const { stream, revision, type, version, data, metadata } = event;
        found.set(stream, [...(found.get(stream) ?? []), { stream, revision, type, version, data, metadata }]);
      }
    };
    store.tail('all', 'start', { deliver, caughtUp, onFault });
  });
  await store.close();
  return found;
}

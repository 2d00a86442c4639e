import { handler, serve } from '@cairn/sdk';

// What is broken outside, by word: `node handlers.mjs search-down`, `reader-down`, both.
const broken = new Set(process.argv.slice(2));

/** A small web: titles by topic; a topic that it does not know has one source. */
const web = {
  'tidal energy': ['Tides and turbines', 'Costs of tidal power', 'Barrages and birds', 'Grid storage', 'Slack water'],
};
const sourcesOf = (topic, results, from) => (web[topic] ?? [`Notes on ${topic}`]).slice(0, results).map((title) => ({ title, from }));

/** The search engine: busy at the first request of a run, broken at the second, good at the third. */
const search = handler('web-search', (task) => {
  console.log(`search: attempt ${task.attempt}`);
  if (broken.has('search-down')) throw task.failure({ code: 503, message: 'the engine is down' });
  if (task.attempt === 1) throw task.failure({ code: 429, message: 'too many queries', details: { headers: { 'retry-after': '1' } } });
  if (task.attempt === 2) throw task.failure({ code: 502, message: 'bad gateway' });
  return task.result({ sources: sourcesOf(task.input.topic, task.params.results, 'web') }, { evidence: 'web index of today' });
});

/** The other tool: the archive knows less, and is always there. */
const archive = handler('archive-search', (task) => {
  console.log('search: in the archive');
  return task.result({ sources: sourcesOf(task.input.topic, task.params.results, 'archive') }, { evidence: 'archive of last year' });
});

const reading = handler('reading', (task) => {
  if (broken.has('reader-down')) throw task.failure({ bucket: 'content_refused', message: 'the sources may not be read by machines' });
  return { notes: task.input.sources.map(({ title }) => `read: ${title}`) };
});

const writing = handler('writing', (task) => {
  const { topic, sources, notes } = task.input;
  const from = notes === null ? sources.map(({ title }) => title) : notes.notes;
  return { text: `${topic}: ${from.join('; ')}` };
});

const worker = serve({}, [search, archive, reading, writing]);
console.log(
  `ready, session ${worker.session.slice(-8)}${broken.size === 0 ? '' : `, broken: ${[...broken].join(', ')}`}; Ctrl-C drains and ends`,
);

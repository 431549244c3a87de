// The view of the data: what goes through the input pipelines, where it comes from, and what could not be used.
import { bars, curves, DASHED, describe, draw, drawBars, line, replace } from './charts.js';
import { byId, bytes, cell, compact, element, known, NONE, number, percent, precise, rows, seconds, set, speed, step, time, whole } from './format.js';
import { showSources } from './run.js';

/** Colours of the stages, in the order in which a sample passes them. */
const STAGES = ['fetch', 'decode', 'compute', 'exchange', 'update', 'throughput', 'rate', 'norm'];
const SOURCES = ['throughput', 'validation', 'accuracy', 'rate', 'norm', 'fetch', 'exchange', 'compute'];

/** Shards that have a bar. */
const SHARDS = 12;

let charts;
/** By node: its last word and the one before it, whose difference is the rate. */
const inputWords = new Map();
const cacheWords = new Map();

/** Takes note of what the nodes say, also while the view is not shown. */
export function follow({ inputs, caches }) {
  for (const [words, said] of [[inputWords, inputs], [cacheWords, caches]]) {
    for (const now of said) {
      const word = words.get(now.node);
      if (word?.last.timeMillis !== now.timeMillis) words.set(now.node, { last: now, before: word?.last });
    }
  }
}

function build() {
  charts = {
    rates: curves('rates', [line('images/s', SOURCES[0], { fill: 'origin' })], compact),
    sources: curves('sources', [line('epochs', SOURCES[0], { fill: 'origin' })], precise),
    queues: curves('queues', [line('inside', STAGES[0], { fill: 'origin' })], compact),
    held: curves('held', [line('holds', 'throughput', { fill: 'origin' }), line('may hold', 'baseline', DASHED)], bytes),
    fetched: curves('fetched', [line('fetched', 'exchange', { fill: 'origin' })], value => `${bytes(value)}/s`),
  };
}

export function show({ status, curves: all }) {
  if (!charts) build();
  stages(status.inputs);
  family(charts.queues, 'queue.', STAGES, all, status.steps, 'Items inside the stages of the input pipelines over steps', whole);
  family(charts.rates, 'rate.', SOURCES, all, status.steps, 'Images per second of each source over steps', speed);
  family(charts.sources, 'epoch.', SOURCES, all, status.steps, 'Epochs of each source over steps', value => value.toFixed(2));
  const drawn = Object.keys(all).filter(name => name.startsWith('epoch.')).length;
  const sources = showSources(status, 'data-sources').length;
  set('finding-rates', sources === 0 ? NONE : `over all nodes, between two reports of one${sources > drawn ? `  ·  the first ${drawn} of ${sources} sources` : ''}`);
  caches(status, all);
  curated(status);
  quarantine(status);
}

function stages(inputs) {
  const names = [...new Set(inputs.flatMap(input => input.stages.map(stage => stage.name)))];
  const sums = names.map(name => {
    const sum = { name, items: 0, bytes: 0, seconds: 0, depth: 0, itemRate: NaN, byteRate: NaN };
    for (const input of inputs) {
      const stage = input.stages.find(one => one.name === name);
      if (!stage) continue;
      for (const part of ['items', 'bytes', 'seconds', 'depth']) sum[part] += stage[part];
      const before = inputWords.get(input.node)?.before;
      const past = before?.stages.find(one => one.name === name);
      // A node that started again counts from 0.
      if (past && stage.items >= past.items) {
        const took = (input.timeMillis - before.timeMillis) / 1000;
        sum.itemRate = (known(sum.itemRate) ? sum.itemRate : 0) + (stage.items - past.items) / took;
        sum.byteRate = (known(sum.byteRate) ? sum.byteRate : 0) + (stage.bytes - past.bytes) / took;
      }
    }
    return sum;
  });
  rows('stages', sums.map(sum => [cell(sum.name), number(whole(sum.items)), number(bytes(sum.bytes)), number(seconds(sum.seconds)),
    number(seconds(sum.seconds / sum.items)),
    number(whole(sum.depth)), number(precise(sum.itemRate)), number(known(sum.byteRate) ? `${bytes(sum.byteRate)}/s` : '–')]),
  'no word from an input pipeline yet');
  set('finding-stages', inputs.length > 0
    ? `${whole(inputs.length)} ${inputs.length === 1 ? 'node' : 'nodes together'}, since each started  ·  rates between the last two reports` : NONE);
}

/** The curves whose names begin alike, each with the rest of its name and a colour of the list. */
function family(chart, prefix, colours, all, steps, title, format) {
  const names = Object.keys(all).filter(name => name.startsWith(prefix)).map(name => name.slice(prefix.length));
  if (names.length > 0 && chart.data.datasets.map(dataset => dataset.label).join() !== names.join()) {
    replace(chart, names.map((name, i) => line(name, colours[i % colours.length])));
  }
  draw(chart, names.length > 0 ? names.map(name => all[prefix + name]) : [[]], steps);
  describe(chart, `${title}: ${names.map(name => `${name} ${format(all[prefix + name].at(-1).y)}`).join(', ') || 'none yet'}`);
}

function caches({ caches: said, steps }, all) {
  rows('caches', said.map(cache => {
    const before = cacheWords.get(cache.node)?.before;
    // A node that started again counts from 0.
    const rate = before && cache.fetchedBytes >= before.fetchedBytes
      ? 1000 * (cache.fetchedBytes - before.fetchedBytes) / (cache.timeMillis - before.timeMillis) : NaN;
    return [cell(cache.node), cell(cache.directory), number(bytes(cache.heldBytes)), number(cache.limitBytes > 0 ? bytes(cache.limitBytes) : 'any'),
      number(whole(cache.shards)), number(whole(cache.hits)), number(whole(cache.misses)), number(whole(cache.evictions)),
      number(whole(cache.filling)), number(known(rate) ? `${bytes(rate)}/s` : '–'), number(bytes(cache.fetchedBytes)), number(whole(cache.retries))];
  }), 'no word from a cache yet');
  const [hits, misses] = ['hits', 'misses'].map(part => said.reduce((sum, cache) => sum + cache[part], 0));
  set('finding-caches', said.length === 0 ? NONE : hits + misses === 0
    ? 'no shard has gone through it: they are read where they lie'
    : `${percent(hits / (hits + misses))} of the shards that were wanted were there  ·  since each node started; nodes of one machine may share a folder`);
  const held = all['cache.held'] ?? [];
  const limit = Math.max(0, ...said.map(cache => cache.limitBytes));
  draw(charts.held, [held, limit > 0 && held.length > 0 ? [{ x: 0, y: limit }, { x: steps || held.at(-1).x, y: limit }] : []], steps);
  describe(charts.held, `Bytes in the cache over steps: ${held.length > 0 ? `now ${bytes(held.at(-1).y)}${limit > 0 ? ` of ${bytes(limit)}` : ''}` : 'none yet'}`);
  const fetched = all['cache.fetched'] ?? [];
  draw(charts.fetched, [fetched], steps);
  describe(charts.fetched, `Bytes fetched per second over steps: ${fetched.length > 0 ? `now ${bytes(fetched.at(-1).y)}/s` : 'none yet'}`);
}

/** Nothing is shown of a run that takes everything. */
function curated({ curated: sources }) {
  for (const card of ['curated-card', 'duplicates-card']) byId(card).hidden = sources.length === 0;
  const pairs = sources.flatMap(source => source.pairs.map(pair => [cell(source.source), cell(pair.shard), cell(pair.leftOut), cell(pair.kept), number(pair.bits)]));
  byId('pairs-card').hidden = pairs.length === 0;
  if (sources.length === 0) return;
  const sum = causes => Object.values(causes).reduce((a, b) => a + b, 0);
  rows('curated', sources.map(source => {
    const { duplicate = 0, ...others } = source.causes;
    return [cell(source.source), number(whole(source.shards)), number(whole(source.samples)), number(whole(sum(source.causes))),
      number(whole(duplicate)), cell(Object.entries(others).map(([cause, count]) => `${cause} ${whole(count)}`).join(', ') || '–')];
  }), 'nothing is curated');
  const all = sources.reduce((total, source) => total + sum(source.causes), 0);
  const used = sources.reduce((total, source) => total + source.samples, 0);
  set('finding-curated', `${percent(all / Math.max(1, all + used))} of the samples, when their shards were indexed`);
  const most = sources.flatMap(source => source.shardsWithMost).sort((a, b) => b.duplicates - a.duplicates).slice(0, SHARDS);
  charts.duplicates ??= bars('duplicates', 'shard', [{ label: 'near-duplicates', name: 'norm' }], 'images', whole);
  drawBars(charts.duplicates, most.map(shard => shard.name.split('/').at(-1)), [most.map(shard => shard.duplicates)]);
  describe(charts.duplicates, `Near-duplicates by shard: ${most.map(shard => `${shard.name} ${whole(shard.duplicates)}`).join(', ') || 'none'}`);
  set('finding-duplicates', most.length > 0 ? 'the shards with most' : NONE);
  rows('pairs', pairs, 'no pair is known');
}

function quarantine({ quarantine: newest, thumbnails, badSamples, imagesDone }) {
  set('finding-quarantine', badSamples > 0
    ? `${whole(badSamples)} bad samples were replaced, ${precise(100 * badSamples / Math.max(1, imagesDone))} % of the images`
      + `${badSamples > newest.length ? `  ·  the newest ${newest.length}` : ''}  ·  pictures of the first ones of a node, as far as they can be decoded` : 'every image could be used');
  const body = byId('quarantine');
  const key = [badSamples, ...thumbnails].join();
  // Drawn anew only when it changes, for its pictures would be loaded again.
  if (body.dataset.key === key) return;
  body.dataset.key = key;
  rows('quarantine', newest.map((sample, i) => [cell(picture(sample, thumbnails[i])), cell(time(sample.timeMillis)), number(step(sample.step)), cell(sample.node),
    cell(sample.shard), number(whole(sample.offset)), cell(sample.key), cell(sample.cause), cell(element('code', '', firstBytes(sample.firstBytes)))]), 'no bad sample');
}

function picture(sample, name) {
  if (!name) return '–';
  const image = element('img', 'thumbnail');
  image.src = `quarantine/${name}.png`;
  image.alt = `what can be decoded of ${sample.key}`;
  return image;
}

/** In pairs of digits, of which the first few say the format. */
const firstBytes = hex => hex.slice(0, 24).match(/../g)?.join(' ').concat(hex.length > 24 ? ' …' : '') ?? '–';

// The view of the data: what goes through the input pipelines, where it comes from, and what could not be used.
import { bars, curves, describe, draw, drawBars, line, replace } from './charts.js';
import { bytes, cell, compact, known, NONE, number, precise, rows, seconds, set, time, whole } from './format.js';
import { showSources } from './run.js';

/** Colours of the stages, in the order in which a sample passes them. */
const STAGES = ['fetch', 'decode', 'compute', 'exchange', 'update', 'throughput', 'rate', 'norm'];
const QUEUE = 'queue.';

let charts;
/** By node: its last word and the one before it, whose difference is the rate. */
const words = new Map();

/** Takes note of what the nodes say, also while the view is not shown. */
export function follow({ inputs }) {
  for (const input of inputs) {
    const word = words.get(input.node);
    if (word?.last.timeMillis !== input.timeMillis) words.set(input.node, { last: input, before: word?.last });
  }
}

function build() {
  charts = {
    sources: bars('sources', 'source', [{ label: 'seen', name: 'accuracy' }], 'epochs', precise),
    queues: curves('queues', [line('inside', STAGES[0], { fill: 'origin' })], compact),
  };
}

export function show({ status, curves: all }) {
  if (!charts) build();
  stages(status.inputs);
  queues(all, status.steps);
  const sources = showSources(status, 'data-sources');
  drawBars(charts.sources, sources.map(source => source.name), [sources.map(source => source.epoch)]);
  describe(charts.sources, `Epochs: ${sources.map(source => `${source.name} ${source.epoch.toFixed(2)}`).join(', ')}`);
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
      const before = words.get(input.node)?.before;
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

/** How many items were inside each stage, whose curves come in the order of the stages. */
function queues(all, steps) {
  const names = Object.keys(all).filter(name => name.startsWith(QUEUE)).map(name => name.slice(QUEUE.length));
  if (names.length > 0 && charts.queues.data.datasets.map(dataset => dataset.label).join() !== names.join()) {
    replace(charts.queues, names.map((name, i) => line(name, STAGES[i % STAGES.length])));
  }
  draw(charts.queues, names.length > 0 ? names.map(name => all[QUEUE + name]) : [[]], steps);
  describe(charts.queues, `Items inside the stages of the input pipelines over steps: ${names.map(name => `${name} ${whole(all[QUEUE + name].at(-1).y)}`).join(', ') || 'none yet'}`);
}

function quarantine({ quarantine: newest, badSamples, imagesDone }) {
  rows('quarantine', newest.map(sample => [cell(time(sample.timeMillis)), number(whole(sample.step)), cell(sample.node), cell(sample.shard),
    number(whole(sample.offset)), cell(sample.key), cell(sample.cause)]), 'no bad sample');
  set('finding-quarantine', badSamples > 0
    ? `${whole(badSamples)} bad samples were replaced, ${precise(100 * badSamples / Math.max(1, imagesDone))} % of the images`
      + `${badSamples > newest.length ? `  ·  the newest ${newest.length}` : ''}` : 'every image could be used');
}

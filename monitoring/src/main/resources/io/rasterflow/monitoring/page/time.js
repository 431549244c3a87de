// The view of the time: where it goes, who holds the others up, and whether images come fast enough.
import { bars, curves, describe, draw, drawBars, inPercent, line, PARTS } from './charts.js';
import { ago, byId, bytes, cell, element, known, NONE, number, rows, seconds, set, whole } from './format.js';

const MAX_RANKS = 16;

let charts;

const total = ledger => PARTS.reduce((sum, part) => sum + (ledger[part] ?? 0), 0);
/** In the exchange a rank mostly waits for others. */
const own = ledger => total(ledger) - ledger.exchange;

function build() {
  charts = {
    time: bars('time', 'rank', PARTS.map(part => ({ label: part, name: part })), 'seconds', seconds),
    input: curves('input', [line('waiting', 'decode', { fill: 'origin' })], inPercent, ' of the step'),
  };
}

export function show({ status, curves: all }) {
  if (!charts) build();
  const active = status.ranks.filter(rank => rank.active);
  ledgers(active);
  input(status, all);
  queues(status.inputs);
  pace(active, status.slowRanks);
  usage(status.usages);
}

/** The slowest ranks when there are many: they set the pace. */
function ledgers(active) {
  const shown = [...active].sort((a, b) => own(b.recent) - own(a.recent)).slice(0, MAX_RANKS).sort((a, b) => a.rank - b.rank);
  drawBars(charts.time, shown.map(rank => `rank ${rank.rank}`), PARTS.map(part => shown.map(rank => rank.recent[part])));
  describe(charts.time, `Seconds of a step: ${shown
    .map(r => `rank ${r.rank}: ${PARTS.map(p => `${p} ${seconds(r.recent[p] ?? 0)}`).join(', ')}`).join('; ')}`);
  const whole = active.reduce((sum, rank) => sum + total(rank.total), 0);
  const share = part => active.reduce((sum, rank) => sum + rank.total[part], 0) / whole;
  const most = active.length > MAX_RANKS ? `the ${MAX_RANKS} slowest of ${active.length} ranks, last steps` : 'last steps';
  set('finding-time', whole > 0
    ? `${most}  ·  of all time: ${PARTS.map(part => `${part} ${(100 * share(part)).toFixed(1)} %`).join(', ')}` : NONE);
}

function input({ steps }, all) {
  const share = (all.inputWait ?? []).map(point => ({ x: point.x, y: 100 * point.y }));
  draw(charts.input, [share], steps);
  const now = share.at(-1)?.y;
  const worst = share.filter(point => known(point.y)).reduce((a, b) => (b.y > a.y ? b : a), { y: -Infinity });
  set('finding-input', known(now)
    ? `share of rank 0's step  ·  now ${inPercent(now)}, at most ${inPercent(worst.y)} in step ${whole(worst.x)}` : NONE);
  describe(charts.input, `Waiting for images, share of the step: now ${known(now) ? inPercent(now) : 'not known'}`);
}

function queues(inputs) {
  const stages = [...new Set(inputs.flatMap(input => input.stages.map(stage => stage.name)))];
  const heads = byId('queue-heads');
  if (heads.cells.length !== stages.length + 1) {
    heads.replaceChildren(...['Node', ...stages].map((name, i) => {
      const head = element('th', i > 0 ? 'number' : '', name);
      head.scope = 'col';
      return head;
    }));
  }
  rows('queues', inputs.map(input => [cell(input.node),
    ...stages.map(name => number(whole(input.stages.find(stage => stage.name === name)?.depth)))]),
  'no word from an input pipeline yet');
}

function pace(active, slow) {
  const held = new Map(slow.map(rank => [rank.rank, rank]));
  const sorted = [...active].sort((a, b) => (b.slowdown ?? 0) - (a.slowdown ?? 0) || a.rank - b.rank);
  rows('pace', sorted.map(rank => {
    const why = held.get(rank.rank);
    const says = why ? element('span', 'badge slow-rank', `since step ${whole(why.sinceStep)}, by ${why.part}`) : '–';
    return [cell(`rank ${rank.rank}`), cell(rank.node), number(known(rank.slowdown) ? `${rank.slowdown.toFixed(2)} ×` : '–'),
      number(seconds(total(rank.recent))), number(seconds(rank.recent.fetch + rank.recent.decode)),
      number(seconds(rank.recent.compute)), number(seconds(rank.recent.exchange)), cell(says)];
  }), 'no step yet');
  set('finding-pace', active.some(rank => known(rank.slowdown))
    ? 'pace: time per micro-batch without the exchange, over that of the other ranks; in the exchange the fast ones wait for the slow'
    : 'pace is not known before two ranks have done some steps each');
}

/** What a node cannot tell is null or below 0. */
const size = value => bytes(value >= 0 ? value : NaN);
const share = value => (known(value) ? `${(100 * value).toFixed(1)} %` : '–');

function usage(usages) {
  rows('usage', usages.map(node => {
    const gpus = node.gpus.map(gpu => `${gpu.device}: ${size(gpu.usedBytes)} of ${size(gpu.totalBytes)}`).join(', ');
    const told = number(ago(node.timeMillis));
    told.dataset.seen = node.timeMillis;
    return [cell(node.node), number(share(node.processCpu)), number(share(node.machineCpu)), number(whole(node.cores)),
      number(size(node.residentBytes)), number(size(node.heapBytes)), number(size(node.heapMaxBytes)),
      number(size(node.availableBytes)), number(size(node.memoryBytes)), number(gpus || '–'), told];
  }), 'no word from a node yet');
}

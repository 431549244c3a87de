// The view of the run itself: how well it learns, how fast it goes, and what it has seen.
import { curves, describe, DOTS, draw, line } from './charts.js';
import { showLosses } from './compare.js';
import { byId, cell, compact, element, known, loss, minus, NONE, number, percent, precise, rate, rows, set, speed, whole } from './format.js';
import { label, mainProbes } from './probes.js';

const scientific = value => (value === 0 ? '0' : value.toExponential(value.toExponential(1).includes('.0') ? 0 : 1));

let charts;

function build() {
  const filled = (label, name) => [line(label, name, { fill: 'origin' })];
  charts = {
    loss: curves('loss', [line('validation', 'validation', DOTS), line('training', 'training')], precise),
    throughput: curves('throughput', filled('images/s', 'throughput'), compact),
    rate: curves('rate', filled('learning rate', 'rate'), scientific),
    norm: curves('norm', filled('gradient norm', 'norm'), precise),
  };
  byId('log').addEventListener('click', event => toggleLog(event.currentTarget));
}

function toggleLog(button) {
  const log = button.getAttribute('aria-pressed') !== 'true';
  button.setAttribute('aria-pressed', String(log));
  charts.loss.options.scales.y.type = log ? 'logarithmic' : 'linear';
  charts.loss.update('none');
}

export function show(page) {
  const { status, curves: all } = page;
  if (!charts) build();
  tiles(status);
  findings(status, all);
  draw(charts.loss, [all.validation, all.loss], status.steps);
  draw(charts.throughput, [all.imagesPerSecond], status.steps);
  draw(charts.rate, [all.learningRate], status.steps);
  draw(charts.norm, [all.gradientNorm], status.steps);
  describe(charts.loss, `Loss over steps: training ${loss(status.loss)}, validation ${loss(status.validationLossLast)} at step ${status.step}`);
  describe(charts.throughput, `Images per second over steps: now ${speed(status.imagesPerSecond)}`);
  describe(charts.rate, `Learning rate over steps: now ${rate(status.learningRate)}`);
  describe(charts.norm, `Gradient norm over steps: now ${precise(status.gradientNorm)}`);
  showLosses(page);
  showSources(status, 'sources');
  set('finding-sources', `epoch ${known(status.epoch) ? status.epoch.toFixed(2) : '–'}  ·  ${whole(status.imagesDone)} images so far`);
}

function tiles(status) {
  set('tile-loss', loss(status.loss));
  set('note-loss', known(status.trainLossFirst) ? `${loss(status.trainLossFirst)} at first` : NONE);
  set('tile-validation', loss(status.validationLossLast));
  compare('note-validation', status.validationLossLast - status.validationLossFirst, delta => minus(delta.toFixed(4)), -1,
    `from ${loss(status.validationLossFirst)}`);
  const probes = mainProbes(status);
  const last = probes.at(-1);
  const untrained = probes.find(probe => probe.step === 0);
  set('tile-probe', percent(last?.accuracy));
  compare('note-probe', last && untrained && last !== untrained ? 100 * (last.accuracy - untrained.accuracy) : NaN,
    delta => `${minus(delta.toFixed(2))} pts`, 1, 'vs untrained', last ? `${label(last)}, step ${whole(last.step)}` : NONE);
  set('tile-throughput', speed(status.imagesPerSecond));
  set('note-throughput', known(status.imagesPerSecondAverage) ? `${speed(status.imagesPerSecondAverage)} on average` : NONE);
  set('tile-rate', rate(status.learningRate));
  set('note-rate', known(status.gradientNorm) ? `gradient norm ${status.gradientNorm.toPrecision(3)}` : NONE);
  set('tile-world', status.worldSize ? `${whole(status.worldSize)} ${status.worldSize === 1 ? 'rank' : 'ranks'}` : '–');
  set('note-world', status.worldSize ? `generation ${whole(status.generation)}` : NONE);
}

/** A signed difference, coloured by whether it goes the wished way; its sign says the same without colour. */
function compare(id, delta, format, wished, text, otherwise = NONE) {
  const note = byId(id);
  if (!known(delta) || delta === 0) {
    note.textContent = otherwise;
    return;
  }
  const sign = delta > 0 ? '+' : '';
  note.replaceChildren(element('span', delta * wished > 0 ? 'better' : 'worse', sign + format(delta)), ` ${text}`);
}

function findings(status, all) {
  const largest = curve => (curve ?? []).map(point => point.y).filter(known).reduce((a, b) => Math.max(a, b), -Infinity);
  const peak = largest(all.learningRate);
  set('finding-rate', known(peak) ? `peak so far ${rate(peak)}` : NONE);
  const norm = largest(all.gradientNorm);
  const noise = known(status.noiseScale) ? `  ·  noise scale ${compact(status.noiseScale)} images` : '';
  set('finding-norm', known(norm) ? `largest so far ${precise(norm)}${noise}` : NONE);
  set('finding-throughput', status.rankHours > 0
    ? `${compact(status.rankHours)} rank hours so far, pauses included${known(status.cost) ? `  ·  cost ${status.cost.toFixed(2)}` : ''}` : NONE);
}

/** Counted over the whole run, hence the same on all nodes: the largest count is the newest. Returns them. */
export function showSources(status, id) {
  const sources = new Map();
  for (const source of status.inputs.flatMap(input => input.sources)) {
    if (!(sources.get(source.name)?.images > source.images)) sources.set(source.name, source);
  }
  const all = [...sources.values()].reduce((sum, source) => sum + source.images, 0);
  rows(id, [...sources.values()].map(source => [cell(source.name), number(whole(source.images)),
    number(all > 0 ? percent(source.images / all) : '–'), number(source.epoch.toFixed(2))]), 'no word of the sources yet');
  return [...sources.values()];
}

// Kinds of probe and layers: whether the cheap kind stands for the dear one, and what each layer is worth.
import { DASHED, describe, DOTS, draw, inPercent, line, overlay, points, replace, scatter } from './charts.js';
import { byId, percent, precise, set, whole } from './format.js';
import { label } from './probes.js';
import { choose, option } from './views.js';

/** As people write it. */
const named = kind => kind.replace(/^knn/, 'kNN');

let charts;

export function buildKinds() {
  charts = {
    kinds: scatter('kinds', [], { title: 'attentive', format: inPercent }, { title: 'another kind', format: inPercent }),
    layers: overlay('layers', inPercent),
  };
  const { x } = charts.layers.options.scales;
  x.title.text = 'block';
  x.ticks.precision = 0;
  byId('layers').addEventListener('change', ({ target }) => {
    choose('science', 'layers', target.selectedIndex === 0 ? null : target.value);
    byId('view-science').dispatchEvent(new Event('shown'));
  });
}

// ---- one kind against another ----

const OTHERS = [['rate', 'triangle'], ['throughput', 'rect'], ['validation', 'rectRot']];

/** The probes of other kinds over those of the same weights that the run is judged by. */
export function showKinds(probes, main) {
  const judged = new Map(main.map(probe => [probe.step, probe.accuracy]));
  const own = main[0];
  const of = new Map();
  for (const probe of probes.filter(one => own && one.kind !== own.kind && one.set === own.set && judged.has(one.step))) {
    of.set(probe.kind, [...(of.get(probe.kind) ?? []), probe]);
  }
  const kinds = [...of.keys()];
  const chart = charts.kinds;
  const names = [...kinds.map(named), 'equal'];
  if (chart.data.datasets.map(dataset => dataset.label).join() !== names.join()) {
    chart.options.scales.x.title.text = own ? named(label(own)) : 'attentive';
    chart.options.scales.y.title.text = kinds.length === 1 ? named(kinds[0]) : 'another kind';
    chart.canvas.closest('figure').querySelector('h2').textContent =
      `${kinds.length > 1 ? 'Other kinds' : named(kinds[0] ?? 'knn')} against ${named(own?.kind ?? 'attentive')}`;
    replace(chart, [
      ...kinds.map((kind, i) => line(named(kind), OTHERS[i % OTHERS.length][0], {
        ...DOTS, pointRadius: 5, pointStyle: OTHERS[i % OTHERS.length][1], showLine: false })),
      line('equal', 'baseline', { ...DASHED, type: 'line' }),
    ]);
  }
  const clouds = kinds.map(kind => points(of.get(kind), probe => 100 * judged.get(probe.step), probe => 100 * probe.accuracy));
  const both = clouds.flat().flatMap(point => [point.x, point.y]);
  const ends = [Math.min(...both), Math.max(...both)];
  draw(chart, [...clouds, both.length > 0 ? ends.map(value => ({ x: value, y: value })) : []]);
  const said = kinds.map((kind, i) => agreement(named(kind), named(own.kind), clouds[i])).join('  ·  ');
  set('finding-kinds', said || '\u00a0');
  describe(chart, `Accuracies of the kinds of probe against each other: ${said || 'none yet'}`);
}

/** How far apart two kinds are, and whether they say the same of what got better. */
function agreement(other, own, cloud) {
  const apart = cloud.map(point => point.y - point.x);
  const mean = apart.reduce((sum, value) => sum + value, 0) / apart.length;
  const ordered = [...cloud].sort((a, b) => a.step - b.step);
  const changes = ordered.slice(1).map((point, i) => (point.x - ordered[i].x) * (point.y - ordered[i].y));
  const agreed = changes.filter(product => product > 0).length;
  return `${other} ${precise(Math.abs(mean))} points ${mean < 0 ? 'below' : 'above'} ${own} on average over ${cloud.length} ${cloud.length === 1 ? 'checkpoint' : 'checkpoints'}`
    + (changes.length > 0 ? `; of ${changes.length} changes ${agreed} went the same way` : '');
}

// ---- layers ----

/** The first and the newest curve over the layers, of the kind of probe that is chosen. */
export function showLayers(curves) {
  const names = [...new Set(curves.map(label))];
  const select = byId('layers');
  if ([...select.options].map(one => one.value).join('\n') !== names.join('\n')) {
    select.replaceChildren(...names.map(name => new Option(named(name), name)));
    const wanted = option('science', 'layers');
    if (names.includes(wanted)) select.value = wanted;
  }
  select.hidden = names.length < 2;
  const shown = curves.filter(curve => label(curve) === select.value);
  const newest = shown.at(-1);
  const chart = charts.layers;
  const title = curve => (curve.step === 0 ? 'untrained' : `step ${whole(curve.step)}`);
  const titles = [...shown].reverse().map(title);
  if (chart.data.datasets.map(dataset => dataset.label).join() !== titles.join()) {
    replace(chart, titles.map((name, i) => (i === 0 ? line(name, 'accuracy', DOTS) : line(name, 'baseline', { ...DOTS, ...DASHED }))));
  }
  draw(chart, [...shown].reverse().map(curve => curve.layers.map((layer, i) => ({ x: i, y: 100 * layer.accuracy }))));
  const best = newest?.layers.find(layer => layer.chosen);
  set('finding-layers', best
    ? `${named(label(newest))} probe at step ${whole(newest.step)}: best on held-out images is block ${best.blocks} of ${newest.layers.length}, ${percent(best.accuracy)}` : '\u00a0');
  describe(chart, `Probe accuracy by layer: ${newest ? newest.layers.map(layer => `block ${layer.blocks} ${percent(layer.accuracy)}`).join(', ') : 'none yet'}`);
}

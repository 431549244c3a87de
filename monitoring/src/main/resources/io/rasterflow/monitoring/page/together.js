// What this run and those beside it tell together: whether those of lower loss are those of higher accuracy, and by which law
// their loss falls with size. The server finds both from their last validated weights.
import { DASHED, describe, draw, inPercent, line, replace, scatter } from './charts.js';
import { all, COLOURS, hasOthers } from './compare.js';
import { byId, compact, element, figures, interval, known, loss, minus, precise, set } from './format.js';
import { mainProbes } from './probes.js';
import { choose, isShown, option } from './views.js';

const EVERY_MILLIS = 2_000;
const MARKS = [['circle', '●'], ['rect', '■'], ['triangle', '▲'], ['rectRot', '◆'], ['cross', '✚'], ['star', '✱'], ['crossRot', '✖']];
const LOSS = { title: 'validation loss', format: precise };

let found = null;
let charts;

/** Asks for it now and then, while it is looked at. */
export async function followTogether(version = 0) {
  let seen = version;
  try {
    if (!document.hidden && hasOthers() && isShown('science')) {
      const answer = await (await fetch(`api/together?version=${version}`)).json();
      seen = answer.version;
      if (answer.found) {
        found = answer.found;
        if (isShown('science')) byId('view-science').dispatchEvent(new Event('shown'));
      }
    }
  } catch {
    // The page says that the connection is lost.
  }
  setTimeout(followTogether, EVERY_MILLIS, seen);
}

function build() {
  charts = {
    together: scatter('together', [], LOSS, { title: 'top-1', format: inPercent }),
    scaling: scatter('scaling', [], { title: 'size', format: compact }, LOSS),
  };
  charts.scaling.options.scales.x.type = 'logarithmic';
  byId('scaling-x').addEventListener('change', ({ target }) => {
    choose('science', 'law', target.selectedIndex === 0 ? null : target.value);
    byId('view-science').dispatchEvent(new Event('shown'));
  });
}

/** How a run is drawn in both charts: no two of the first 56 alike. */
function style(label, labels) {
  const i = labels.indexOf(label);
  const [pointStyle, mark] = MARKS[i % MARKS.length];
  return line(label, COLOURS[i % COLOURS.length], {
    pointStyle, mark, pointRadius: 5, pointHoverRadius: 7, borderWidth: 1.6, pointBorderWidth: 2, showLine: false });
}

const others = (chart, datasets) => chart.data.datasets.map(one => one.label).join('\n') !== datasets.map(one => one.label).join('\n');

/** Nothing is shown without other runs. */
export function showTogether(page) {
  for (const card of ['together', 'scaling']) byId(card).hidden = !hasOthers() || !found;
  if (!hasOthers() || !found) return;
  if (!charts) build();
  const runs = all(page);
  const labels = runs.map(run => run.label);
  accuracies(runs, labels);
  laws(labels);
}

// ---- loss against accuracy ----

function accuracies(runs, labels) {
  const kind = mainProbes(runs[0])[0]?.kind ?? Object.keys(found.correlations)[0];
  const correlation = found.correlations[kind];
  const trained = run => mainProbes(run).filter(probe => probe.kind === kind && probe.step > 0 && known(probe.validationLoss))
    .map(probe => ({ x: probe.validationLoss, y: 100 * probe.accuracy, step: probe.step }));
  const clouds = runs.map(trained);
  const ends = found.runs.filter(run => known(run.accuracies[kind])).map(run => ({ x: run.loss, y: 100 * run.accuracies[kind] }));
  const chart = charts.together;
  const datasets = [...labels.map(label => style(label, labels)),
    line('last of each run', 'ink', { pointStyle: 'circle', mark: '◯', pointRadius: 10, pointBackgroundColor: 'transparent', showLine: false }),
    line('least squares of these', 'baseline', { ...DASHED, type: 'line' })];
  if (others(chart, datasets)) replace(chart, datasets);
  const { slope, intercept } = correlation?.line ?? {};
  const losses = ends.map(end => end.x);
  const fit = known(slope) ? [Math.min(...losses), Math.max(...losses)].map(x => ({ x, y: 100 * (intercept + slope * x) })) : [];
  draw(chart, [...clouds, ends, fit]);
  set('finding-together', correlation ? `${kind} probe over the runs: ${verdict(correlation)}` : `nothing is said of it: ${found.uncorrelated}`);
  figures('together-figures', correlation && known(correlation.pearson) ? numbers(correlation) : []);
  describe(chart, `Probe accuracy against validation loss of ${runs.length} runs: ${byId('finding-together').textContent}`);
}

function verdict(c) {
  if (c.points < 3) return `too few points, needs 3 runs with a probe of their last validated weights, has ${c.points}`;
  if (!known(c.pearson)) return `undefined, for the values of ${c.points} runs do not vary`;
  const says = !known(c.pearsonLow) ? 'too few points to say, needs 5 for an interval'
    : c.pearsonLow <= 0 && c.pearsonHigh >= 0 ? 'the two may have nothing to do with each other here'
      : c.pearson < 0 ? 'runs of lower loss are those of higher accuracy' : 'runs of higher loss are those of higher accuracy, against what AIM found';
  return minus(`r = ${c.pearson.toFixed(3)} over ${c.points} runs: ${says}`);
}

function numbers(c) {
  const two = value => minus(value.toFixed(2));
  const three = value => minus(value.toFixed(3));
  const sure = (low, high) => (known(low) ? `95 %: ${interval(low, high, two)}` : 'needs 5 points for an interval');
  return [
    ['Pearson r', three(c.pearson), sure(c.pearsonLow, c.pearsonHigh), 'of the last loss and accuracy of each run'],
    ['Spearman ρ', three(c.spearman), sure(c.spearmanLow, c.spearmanHigh), 'of their ranks; hardly moved by outliers'],
    ['r without one run', known(c.influence.low) ? interval(c.influence.low, c.influence.high, two) : '–',
      known(c.influence.low) ? '' : 'needs 4 runs', 'left out in turn; far apart where one run makes it'],
  ];
}

// ---- loss over size ----

function laws(labels) {
  const drawn = found.laws.filter(law => law.runs.length > 0);
  const select = byId('scaling-x');
  const titles = drawn.map(law => law.title);
  if ([...select.options].map(one => one.value).join() !== titles.join()) {
    select.replaceChildren(...titles.map(title => new Option(`over ${title}`, title)));
    // Unless the reader has chosen, the first that is a law.
    const wanted = [option('science', 'law'), drawn.find(law => law.curve.length > 0)?.title].find(title => titles.includes(title));
    if (wanted) select.value = wanted;
  }
  select.hidden = titles.length < 2;
  const law = drawn.find(one => one.title === select.value);
  plot(law, labels);
  set('finding-scaling', law ? `${law.runs.length} runs: ${law.selection}` : `no law: ${found.missing}`);
  byId('laws').replaceChildren(...found.laws.flatMap(one => [element('dt', '', `Law in ${one.title}`),
    ...one.lines.map(text => element('dd', '', text))]));
  byId('together-notes').replaceChildren(...found.notes.map(note => element('li', '', note)));
}

function plot(law, labels) {
  const chart = charts.scaling;
  const datasets = [...labels.map(label => style(label, labels)), line('law', 'accuracy', { type: 'line' }),
    line('95 % from', 'baseline', { ...DASHED, type: 'line' }), line('95 % to', 'baseline', { ...DASHED, type: 'line' }),
    line('predicted', 'accuracy', { pointStyle: 'circle', mark: '◯', pointRadius: 6, pointBackgroundColor: 'transparent', showLine: false })];
  const { x } = chart.options.scales;
  if (others(chart, datasets) || x.title.text !== (law?.title ?? 'size')) {
    x.title.text = law?.title ?? 'size';
    replace(chart, datasets);
  }
  const curve = law?.curve ?? [];
  const along = value => curve.filter(place => known(place[value])).map(place => ({ x: place.size, y: place[value] }));
  const next = law && known(law.next.value) ? [{ x: law.nextSize, y: law.next.value }] : [];
  const of = label => (law?.runs ?? []).filter(run => run.label === label).map(run => ({ x: run.size, y: run.loss }));
  draw(chart, [...labels.map(of), along('loss'), along('low'), along('high'), next]);
  describe(chart, !law ? 'Loss over size: no law' : `Loss over ${law.title} of ${law.runs.length} runs`
    + (next.length > 0 ? `: a run of ${compact(law.nextSize)} is predicted to reach ${loss(law.next.value)}` : ': no law'));
}

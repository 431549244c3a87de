// Other runs beside this one: what the server has read of them, and the charts in which all are drawn.
import { describe, DOTS, draw, inPercent, line, overlay, replace } from './charts.js';
import { byId, compact, known, precise } from './format.js';
import { AVERAGE, mainProbes } from './probes.js';
import { choose, isShown, option } from './views.js';

const EVERY_MILLIS = 2_000;
const SOON_MILLIS = 500;
const OWN = 'this run';
export const COLOURS = ['training', 'validation', 'accuracy', 'rate', 'throughput', 'norm', 'decode', 'baseline'];

/** What runs are drawn over, by the name in the address. */
const AXES = {
  steps: { title: 'step', format: compact, at: (run, step) => step },
  images: { title: 'images', format: compact, at: (run, step) => step * run.globalBatch },
  hours: { title: 'hours', format: precise, at: (run, step) => secondsAt(run, step) / 3600 },
};
const LOSS = { title: 'validation loss', format: precise };

let others = [];
let charts;

// ---- what arrives ----

/** Asks for the other runs now and then; once, where there are none. */
export async function followRuns(version = 0) {
  let seen = version;
  let pause = EVERY_MILLIS;
  try {
    if (!document.hidden || version === 0) {
      const answer = await (await fetch(`api/compare?version=${version}`)).json();
      if (answer.runs?.length === 0) return;
      seen = answer.version;
      if (answer.runs) {
        others = answer.runs.map(run => ({ ...run, curves: Object.fromEntries(Object.entries(run.curves).map(
          ([name, tail]) => [name, tail.steps.map((step, i) => ({ x: step, y: tail.values[i] ?? NaN }))])) }));
        if (answer.runs.some(run => run.trouble.endsWith('read so far'))) pause = SOON_MILLIS;
        ['run', 'science'].filter(isShown).forEach(view => byId(`view-${view}`).dispatchEvent(new Event('shown')));
      }
    }
  } catch {
    // The page says that the connection is lost.
  }
  setTimeout(followRuns, pause, seen);
}

/** Between the points that are known, for the curve is thinned. */
function secondsAt({ curves: { seconds = [] } }, step) {
  if (step <= 0 || seconds.length === 0) return step <= 0 ? 0 : NaN;
  let [low, high] = [0, seconds.length - 1];
  if (step <= seconds[low].x) return seconds[low].y;
  if (step >= seconds[high].x) return seconds[high].y;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (seconds[middle].x <= step) low = middle;
    else high = middle;
  }
  const share = (step - seconds[low].x) / (seconds[high].x - seconds[low].x);
  return seconds[low].y + share * (seconds[high].y - seconds[low].y);
}

export const hasOthers = () => others.length > 0;

// ---- the charts ----

function build() {
  charts = { loss: overlay('compare', precise), probe: overlay('compare-probe', inPercent) };
  for (const [view, key, id] of [['run', 'loss', 'compare-loss'], ['run', 'x', 'compare-x'], ['science', 'x', 'compare-probe-x']]) {
    byId(id).addEventListener('change', event => {
      const chosen = event.target;
      choose(view, key, chosen.selectedIndex === 0 ? null : chosen.value);
      byId(`view-${view}`).dispatchEvent(new Event('shown'));
    });
  }
}

/** The value of a select that the address names; of what it has not, the first. */
function chosen(id, view, key) {
  const select = byId(id);
  const wanted = option(view, key);
  const values = [...select.options].map(one => one.value);
  select.value = values.includes(wanted) ? wanted : values[0];
  return select.value;
}

/** Draws a list of points for each run; without other runs nothing is shown. */
function overlaid(chart, card, runs, axis, pointsOf, style) {
  byId(card).hidden = others.length === 0;
  if (others.length === 0) return;
  const x = chart.options.scales.x;
  if (x.title.text !== axis.title || chart.data.datasets.map(one => one.label).join('\n') !== runs.map(run => run.label).join('\n')) {
    x.title.text = axis.title;
    x.ticks.callback = axis.format;
    replace(chart, runs.map((run, i) => line(run.label, COLOURS[i % COLOURS.length], { ...style, borderDash: i < COLOURS.length ? undefined : [5, 4] })));
  }
  draw(chart, runs.map(run => pointsOf(run).filter(point => known(point.x) && known(point.y)).sort((a, b) => a.x - b.x)));
}

/** This run and the others. */
export const all = ({ status, curves }) => [{ label: OWN, globalBatch: status.globalBatch, curves, probes: status.probes }, ...others];

/** Their losses, in the view of the run. */
export function showLosses(page) {
  if (!charts) build();
  const loss = chosen('compare-loss', 'run', 'loss');
  const axis = AXES[chosen('compare-x', 'run', 'x')];
  const name = loss === 'training' ? 'loss' : 'validation';
  const points = run => (run.curves[name] ?? []).map(point => ({ x: axis.at(run, point.x), y: point.y }));
  overlaid(charts.loss, 'compare', all(page), axis, points, name === 'loss' ? {} : DOTS);
  byId('finding-compare').textContent = others.map(run => `${run.label}: ${run.trouble || run.state}`).join('  ·  ');
  describe(charts.loss, `${loss} loss of ${others.length + 1} runs over ${axis.title}`);
}

/** Their accuracies, in the view of the science: of a labelled set, or of what each is judged by. */
export function showAccuracies(page, set) {
  if (!charts) build();
  const x = chosen('compare-probe-x', 'science', 'x');
  const axis = x === 'loss' ? LOSS : AXES[x];
  const probes = run => (set && set !== AVERAGE ? run.probes.filter(probe => probe.set === set) : mainProbes(run));
  const points = run => probes(run).map(probe => ({
    x: x === 'loss' ? probe.validationLoss : axis.at(run, probe.step), y: 100 * probe.accuracy, step: probe.step }));
  overlaid(charts.probe, 'compare-science', all(page), axis, points, x === 'loss' ? { ...DOTS, showLine: false } : DOTS);
  describe(charts.probe, `Probe accuracy of ${others.length + 1} runs over ${axis.title}`);
}

// The view of the science: whether the loss says anything of what the features are worth.
import { colour, curves, DASHED, describe, DOTS, draw, inPercent, line, points, replace, scatter } from './charts.js';
import { showAccuracies } from './compare.js';
import { buildKinds, showKinds, showLayers } from './kinds.js';
import { byId, element, figures, interval, known, loss, minus, number, percent, precise, rows, seconds, whole } from './format.js';
import { AVERAGE, label, mainProbes } from './probes.js';
import { showTogether } from './together.js';
import { choose, option } from './views.js';

/** Colour and shape of each kind of probe, in the order in which the kinds came. */
const KINDS = [['accuracy', 'circle'], ['rate', 'triangle'], ['throughput', 'rect'], ['validation', 'rectRot']];

let charts;

function build() {
  buildKinds();
  charts = {
    probe: curves('probe', [line('top-1', 'accuracy', DOTS)], inPercent),
    correlation: scatter('correlation', [
      {
        label: 'probe', name: 'accuracy', data: [], pointRadius: 5, pointHoverRadius: 7, pointBorderWidth: 2,
        // The untrained model is the hollow point.
        pointBackgroundColor: point => colour(point.raw?.step === 0 ? 'card' : 'accuracy'),
      },
      line('least squares', 'baseline', { ...DASHED, type: 'line' }),
    ], { title: 'validation loss', format: precise }, { title: 'top-1', format: inPercent }),
  };
}

export function show(page) {
  const { status } = page;
  if (!charts) build();
  const set = chosenSet(status);
  const probes = set ? status.probes.filter(probe => probe.set === set) : status.probes;
  const main = mainProbes({ probes });
  const finding = status.sets.find(one => one.set === set) ?? status;
  accuracy(probes, status.steps);
  pairs(main, finding.correlation);
  showKinds(probes, main);
  showLayers(status.layers.filter(curve => !set || set === AVERAGE || curve.set === set));
  ending(finding, status);
  findings(finding, status);
  table(status.probes);
  cost(status.probeCost);
  showAccuracies(page, set);
  showTogether(page);
}

/** Of several labelled sets the one that is shown, or their mean; nothing without several. */
function chosenSet({ sets }) {
  const names = sets.length > 0 ? [AVERAGE, ...sets.map(one => one.set)] : [];
  const select = byId('set');
  if ([...select.options].map(one => one.value).join('\n') !== names.join('\n')) {
    select.replaceChildren(...names.map(name => new Option(name === AVERAGE ? `average of ${sets.length} sets` : name, name)));
    select.onchange = () => {
      choose('science', 'set', select.value === AVERAGE ? null : select.value);
      byId('view-science').dispatchEvent(new Event('shown'));
    };
  }
  byId('set-choice').hidden = names.length === 0;
  const wanted = option('science', 'set');
  if (names.length > 0) select.value = names.includes(wanted) ? wanted : AVERAGE;
  return select.value;
}

function accuracy(probes, steps) {
  const labels = [...new Set(probes.map(label))];
  const names = labels.length > 0 ? labels : ['top-1'];
  const chart = charts.probe;
  if (chart.data.datasets.map(dataset => dataset.label).join() !== [...names, 'untrained'].join()) {
    const shapes = names.map((name, i) => {
      const [hue, pointStyle] = KINDS[i % KINDS.length];
      return line(name, hue, { ...DOTS, pointStyle });
    });
    replace(chart, [...shapes, line('untrained', 'baseline', DASHED)]);
  }
  const of = name => points(probes.filter(probe => label(probe) === name), probe => probe.step, probe => 100 * probe.accuracy);
  const untrained = of(names[0]).find(point => point.x === 0);
  draw(chart, [...names.map(of), untrained && steps > 0 ? [untrained, { x: steps, y: untrained.y }] : []], steps);
  describe(chart, `Probe accuracy over steps: ${probes.slice(-6).map(p => `${label(p)} ${percent(p.accuracy)} at step ${p.step}`).join(', ')}`);
}

function pairs(probes, correlation) {
  const measured = points(probes, probe => probe.validationLoss, probe => 100 * probe.accuracy);
  const { slope, intercept } = correlation.line;
  const at = x => ({ x, y: 100 * (intercept + slope * x) });
  const losses = measured.map(point => point.x);
  draw(charts.correlation, [measured, known(slope) ? [at(Math.min(...losses)), at(Math.max(...losses))] : []]);
  describe(charts.correlation, `Probe accuracy against validation loss: ${byId('correlation').textContent}`);
}

const share = value => percent(Math.min(1, Math.max(0, value)));

/** What the losses come to at the end of the schedule, and the accuracy with them; or why that cannot be said. */
function ending({ accuracyAtEnd }, { forecast: { trainLoss, validationLoss, reason }, step }) {
  const expected = [
    ['Training loss', trainLoss, loss, 'mean of the last 50 steps'],
    ['Validation loss', validationLoss, loss, 'of the last weights'],
    ['Accuracy', accuracyAtEnd, share, 'of a probe at that validation loss, by the line through the probes so far'],
  ].filter(([, { value }]) => known(value));
  const how = `from the curve up to step ${whole(step)} and the learning rate that still has to fall, by the law of arXiv 2408.11029`;
  byId('forecast').textContent = [expected.length > 0 ? how : '', reason].filter(Boolean).join('  ·  ');
  figures('forecast-figures', expected.map(([name, { value, interval: { low, high } }, format, means]) =>
    [name, format(value), `95 %: ${interval(low, high, format)}`, means]));
}

function findings({ correlation: c, accuracyExpected: expected }, { validationLossLast }) {
  const finding = byId('correlation');
  if (c.points < 3 || !known(c.pearson)) {
    finding.textContent = c.points < 3 ? `needs 3 points, has ${c.points}: nothing is said of the accuracy that a loss stands for`
      : `undefined: the values of ${c.points} points do not vary`;
    figures('figures', []);
    return;
  }
  const verdict = !known(c.pearsonLow) ? 'too few to say'
    : c.pearsonLow <= 0 && c.pearsonHigh >= 0 ? 'the two may have nothing to do with each other here'
      : c.pearson < 0 ? 'the lower the validation loss, the higher the accuracy'
        : 'the higher the validation loss, the higher the accuracy, against what AIM found';
  finding.replaceChildren(element('strong', '', minus(`r = ${c.pearson.toFixed(3)}`)), ` over ${c.points} probes: ${verdict}`);
  const two = value => minus(value.toFixed(2));
  const three = value => minus(value.toFixed(3));
  const sure = (low, high) => (known(low) ? `95 %: ${interval(low, high, two)}` : 'needs 5 points for an interval');
  const signed = value => minus(precise(value));
  figures('figures', [
    ['Pearson r', three(c.pearson), sure(c.pearsonLow, c.pearsonHigh), 'of loss and accuracy; −1 is a falling line'],
    ['Spearman ρ', three(c.spearman), sure(c.spearmanLow, c.spearmanHigh), 'of their ranks; hardly moved by outliers'],
    ['ρ of the changes', known(c.changes) ? three(c.changes) : '–', known(c.changes) ? '' : 'needs 3 changes',
      'from probe to probe; near 0 where only both trends agree'],
    ['r without one point', known(c.influence.low) ? interval(c.influence.low, c.influence.high, two) : '–',
      known(c.influence.low) ? '' : 'needs 4 points', 'left out in turn; far apart where one point makes it'],
    ['Fit', signed(-c.line.slope), `95 %: ${interval(-c.line.slopeInterval.high, -c.line.slopeInterval.low, signed)}`,
      'points of accuracy for each 0.01 less loss'],
    ['Accuracy expected', known(expected.value) ? share(expected.value) : '–',
      known(expected.interval.low) ? `95 %: ${interval(expected.interval.low, expected.interval.high, share)}` : '',
      `of a probe at the validation loss of now, ${loss(validationLossLast)}`],
  ]);
}

/** What training lost to the probes, by its steps during them and shortly before and after. */
function cost({ probes, seconds: took, cpuSeconds, cores, idleCores, measured, stepSeconds, stepSecondsDuring, slowdown, lost }) {
  const points = value => minus(`${precise(100 * value)} %`);
  const sure = ({ interval: { low, high } }) => (known(low) ? `95 %: ${interval(low, high, points)}` : 'needs 2 checkpoints for an interval');
  byId('probe-cost').textContent = probes === 0 ? 'no probe yet'
    : measured > 0 ? `training lost ${points(lost.value)} of its time to them`
      : 'too few steps fell into them to say what training lost';
  figures('probe-cost-figures', probes === 0 ? [] : [
    ['Time of the probes', seconds(took), known(cpuSeconds) ? `${seconds(cpuSeconds)} of processor time` : '', `${whole(probes)} so far, all kinds and sets`],
    ...(known(idleCores) ? [['Idle cores', idleCores.toFixed(1), `of ${whole(cores)}`, 'where they are made, while none was under way; a probe takes one']] : []),
    ...(measured > 0 ? [
      ['Step time', `${seconds(stepSeconds)} → ${seconds(stepSecondsDuring)}`, `over ${whole(measured)} ${measured === 1 ? 'checkpoint' : 'checkpoints'}`, 'shortly before and after a probe, and while one was under way'],
      ['A step is slower by', points(slowdown.value), sure(slowdown), 'while a probe is under way'],
      ['Training lost', points(lost.value), sure(lost), 'of the wall clock of all its steps'],
    ] : []),
  ]);
}

function table(probes) {
  const labels = [...new Set(probes.map(label))];
  const heads = byId('probe-heads');
  if (heads.cells.length !== labels.length + 2) {
    heads.replaceChildren(...['Step', 'Validation loss', ...labels].map(name => {
      const head = element('th', 'number', name);
      head.scope = 'col';
      return head;
    }));
  }
  const steps = [...new Set(probes.map(probe => probe.step))].sort((a, b) => b - a);
  rows('probes', steps.map(at => {
    const here = probes.filter(probe => probe.step === at);
    return [number(whole(at)), number(loss(here[0].validationLoss)), ...labels.map(name => number(percent(here.find(probe => label(probe) === name)?.accuracy)))];
  }), 'no probe yet');
}

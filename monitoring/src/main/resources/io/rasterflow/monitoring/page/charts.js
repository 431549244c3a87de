// The charts of the page. Data go in as they came from the server; colours come from the style sheet, so that light and
// dark need no second list here. The canvas chart-NAME has a note empty-NAME, which says that there is nothing to draw.
import { addExport } from './export.js';
import { byId, compact, element, known, precise } from './format.js';

export const PARTS = ['fetch', 'decode', 'wait', 'compute', 'exchange', 'update'];

export const inPercent = value => `${precise(value)} %`;

const charts = [];

Chart.defaults.plugins.colors.enabled = false;
Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;
Chart.defaults.font.size = 11;

export const colour = name => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
const faint = name => `color-mix(in srgb, ${colour(name)} 14%, transparent)`;

function axis(title, tick) {
  return {
    type: 'linear',
    title: { display: Boolean(title), text: title, padding: 2 },
    ticks: { callback: tick, maxRotation: 0, autoSkipPadding: 18, padding: 6 },
    border: { display: false },
  };
}

function options(x, y, tooltip) {
  return {
    animation: false,
    responsive: true,
    maintainAspectRatio: false,
    parsing: false,
    normalized: true,
    interaction: { mode: 'nearest', axis: 'x', intersect: false },
    scales: { x, y },
    plugins: { legend: { display: false }, tooltip: { callbacks: tooltip, displayColors: false, padding: 9, cornerRadius: 8 } },
  };
}

/** Takes the colours of the present scheme. */
function paint(chart) {
  for (const dataset of chart.data.datasets) {
    dataset.borderColor = colour(dataset.name);
    dataset.backgroundColor = dataset.fill === 'origin' ? faint(dataset.name) : colour(dataset.name);
  }
  for (const scale of Object.values(chart.options.scales)) {
    scale.grid = { color: colour('grid'), drawTicks: false, display: scale.type !== 'category' };
    scale.ticks = { ...scale.ticks, color: colour('muted') };
    if (scale.title) scale.title.color = colour('muted');
  }
  Object.assign(chart.options.plugins.tooltip, { backgroundColor: colour('ink'), titleColor: colour('card'), bodyColor: colour('card') });
  // Not 'none': that mode keeps the colours that points and bars were first drawn with.
  chart.update();
}

function add(name, config) {
  const chart = new Chart(byId(`chart-${name}`), config);
  /** Labels of the series that the reader has hidden. */
  chart.unwanted = new Set();
  charts.push(chart);
  paint(chart);
  if (chart.data.datasets.length > 1 && config.type !== 'scatter') legend(chart);
  addExport(chart, name);
  return chart;
}

/** A curve, in the colour of the style sheet that its name says. */
export function line(label, name, more) {
  return { label, name, data: [], borderWidth: 1.6, pointRadius: 0, pointHitRadius: 8, tension: 0, ...more };
}

export const DOTS = { pointRadius: 3.5, pointHoverRadius: 5, borderWidth: 2.2 };
export const DASHED = { borderDash: [5, 4], borderWidth: 1.5 };

/** Curves over steps; those that are filled begin at 0. */
export function curves(name, datasets, format, unit = '') {
  const chart = add(name, {
    type: 'line',
    data: { datasets },
    options: options(axis('step', compact), axis('', format), {
      title: items => `step ${items[0].parsed.x.toLocaleString('en')}`,
      label: item => `${item.dataset.label}: ${format(item.parsed.y)}${unit}`,
    }),
  });
  chart.options.scales.y.beginAtZero = datasets.some(dataset => dataset.fill);
  return chart;
}

/** Curves of several runs over what is chosen: its axis says it. */
export function overlay(name, format) {
  return add(name, {
    type: 'line',
    data: { datasets: [] },
    options: options(axis('step', compact), axis('', format), {
      title: items => `${items[0].chart.options.scales.x.title.text} ${precise(items[0].parsed.x)}`,
      label: item => `${item.dataset.label}: ${format(item.parsed.y)}`,
    }),
  });
}

/** Points of two measured values; a point that has a step says it. */
export function scatter(name, datasets, x, y) {
  const chart = add(name, {
    type: 'scatter',
    data: { datasets },
    options: options(axis(x.title, x.format), axis(y.title, y.format), {
      title: items => (items[0].raw.step === undefined ? '' : `step ${items[0].raw.step.toLocaleString('en')}`),
      label: item => `${x.title} ${x.format(item.parsed.x)}, ${y.title} ${y.format(item.parsed.y)}`,
    }),
  });
  chart.options.interaction = { mode: 'nearest', intersect: true };
  return chart;
}

/** Rows of stacked bars: what a row is, and a label and a colour for each part. */
export function bars(name, row, parts, unit, format) {
  const chart = add(name, {
    type: 'bar',
    data: { labels: [], datasets: parts.map(part => ({ ...part, data: [], maxBarThickness: 26, borderWidth: 0 })) },
    options: {
      ...options({ ...axis(unit, format), stacked: true, bounds: 'data' }, { ...axis(row), type: 'category', stacked: true, ticks: {} }, {
        title: items => items[0].label,
        label: item => `${item.dataset.label}: ${format(item.parsed.x)}`,
      }),
      parsing: true,
      indexAxis: 'y',
      interaction: { mode: 'nearest', axis: 'xy', intersect: true },
    },
  });
  // Labels and ticks say it; a table does not.
  for (const scale of Object.values(chart.options.scales)) scale.title.display = false;
  return chart;
}

/** Other curves in the same chart, such as those of probes of a new kind. */
export function replace(chart, datasets) {
  chart.data.datasets = datasets;
  paint(chart);
  legend(chart);
}

/** Draws what there is now: a list of points or values for each dataset, and the step at which the run will end. */
export function draw(chart, data, steps) {
  data.forEach((points, i) => { chart.data.datasets[i].data = points ?? []; });
  if (steps) Object.assign(chart.options.scales.x, { min: 0, max: steps });
  byId(chart.canvas.id.replace('chart-', 'empty-')).hidden = data.some(points => points?.length > 0);
  chart.update('none');
}

/** Draws rows of bars: a label each, and a list of values for each part. */
export function drawBars(chart, labels, data) {
  chart.data.labels = labels;
  chart.canvas.parentElement.style.setProperty('--rows', Math.max(2, labels.length));
  draw(chart, data);
}

/** What a chart says, for those who do not see it. */
export const describe = (chart, text) => chart.canvas.setAttribute('aria-label', text);

/** What the colours mean; where there are several, each is a button that hides and shows its series. */
function legend(chart) {
  const caption = chart.canvas.closest('figure').querySelector('figcaption');
  const entries = caption.querySelector('.keys') ?? caption.querySelector('h2').insertAdjacentElement('afterend', element('span', 'legend keys'));
  const { datasets } = chart.data;
  entries.replaceChildren(...datasets.map((dataset, i) => {
    const entry = element(datasets.length > 1 ? 'button' : 'span');
    const key = element('i', dataset.borderDash ? 'key dashed' : 'key');
    key.style.setProperty('--key', `var(--${dataset.name})`);
    key.setAttribute('aria-hidden', 'true');
    entry.append(key, [dataset.mark, dataset.label].filter(Boolean).join(' '));
    if (datasets.length > 1) toggles(chart, i, entry);
    return entry;
  }));
}

/** What is hidden stays so when the chart gets other curves. */
function toggles(chart, i, button) {
  const { label } = chart.data.datasets[i];
  const show = () => {
    const shown = !chart.unwanted.has(label);
    button.setAttribute('aria-pressed', String(shown));
    chart.setDatasetVisibility(i, shown);
    chart.update('none');
  };
  button.type = 'button';
  button.title = 'hides or shows it';
  button.addEventListener('click', () => {
    if (!chart.unwanted.delete(label)) chart.unwanted.add(label);
    show();
  });
  show();
}

export const points = (list, x, y) => list.map(item => ({ x: x(item), y: y(item), step: item.step })).filter(p => known(p.x) && known(p.y));

matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => charts.forEach(paint));

// The charts of the page. Data go in as they came from the server; colours come from the style sheet, so that light and
// dark need no second list here.

export const PARTS = ['fetch', 'decode', 'wait', 'compute', 'exchange', 'update'];
const MAX_RANKS = 16;

const compact = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 });
const precise = new Intl.NumberFormat('en', { maximumSignificantDigits: 4 });
const percent = value => `${precise.format(value)} %`;
const scientific = value => (value === 0 ? '0' : value.toExponential(value.toExponential(1).includes('.0') ? 0 : 1));

const colour = name => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
const faint = name => `color-mix(in srgb, ${colour(name)} 14%, transparent)`;

const reported = value => typeof value === 'number' && Number.isFinite(value);

function axis(title, tick) {
  return {
    type: 'linear',
    title: { display: Boolean(title), text: title, font: { size: 11 }, padding: 2 },
    ticks: { callback: tick, font: { size: 11 }, maxRotation: 0, autoSkipPadding: 18 },
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
    plugins: { legend: { display: false }, tooltip: { callbacks: tooltip, displayColors: false } },
  };
}

const atStep = { title: items => `step ${items[0].parsed.x.toLocaleString('en')}` };
const labelled = format => ({ ...atStep, label: item => `${item.dataset.label}: ${format(item.parsed.y)}` });

function line(label, name, more) {
  return { label, name, data: [], borderWidth: 1.8, pointRadius: 0, pointHitRadius: 8, tension: 0, ...more };
}

/** Datasets with the colours of the present scheme. */
function coloured(datasets) {
  for (const dataset of datasets) {
    dataset.borderColor = colour(dataset.name);
    dataset.backgroundColor = dataset.fill === 'origin' ? faint(dataset.name) : colour(dataset.name);
  }
  return datasets;
}

function lineChart(id, datasets, format, yTitle) {
  return new Chart(document.getElementById(id), {
    type: 'line',
    data: { datasets: coloured(datasets) },
    options: options(axis('step', v => compact.format(v)), axis(yTitle, format), labelled(format)),
  });
}

/** All charts; `paint` takes the colours of the present scheme. */
export class Charts {
  constructor() {
    Chart.defaults.plugins.colors.enabled = false;
    Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;
    const dots = { pointRadius: 3.5, pointHoverRadius: 5 };
    this.loss = lineChart('chart-loss',
      [line('validation', 'validation', { ...dots, borderWidth: 2.2 }), line('training', 'training', { borderWidth: 1.5 })], v => precise.format(v));
    this.probe = lineChart('chart-probe',
      [line('top-1', 'accuracy', { ...dots, borderWidth: 2.2 }), line('untrained', 'baseline', { borderDash: [5, 4], borderWidth: 1.5 })], percent);
    this.throughput = lineChart('chart-throughput', [line('images/s', 'throughput', { fill: 'origin' })], v => compact.format(v));
    this.throughput.options.scales.y.beginAtZero = true;
    this.rate = lineChart('chart-rate', [line('learning rate', 'rate', { fill: 'origin' })], scientific);
    this.rate.options.scales.y.beginAtZero = true;
    this.correlation = new Chart(document.getElementById('chart-correlation'), {
      type: 'scatter',
      data: {
        datasets: coloured([
          { label: 'probe', name: 'accuracy', data: [], pointRadius: 5, pointHoverRadius: 7, pointBorderWidth: 2 },
          { label: 'least squares', name: 'baseline', type: 'line', data: [], pointRadius: 0, borderDash: [5, 4], borderWidth: 1.5 },
        ]),
      },
      options: options(axis('validation loss', v => precise.format(v)), axis('top-1', percent), {
        title: items => `step ${items[0].raw.step?.toLocaleString('en') ?? ''}`,
        label: item => `loss ${precise.format(item.parsed.x)}, top-1 ${percent(item.parsed.y)}`,
      }),
    });
    this.correlation.options.interaction = { mode: 'nearest', intersect: true };
    this.time = new Chart(document.getElementById('chart-time'), {
      type: 'bar',
      data: { labels: [], datasets: coloured(PARTS.map(part => ({ label: part, name: part, data: [], maxBarThickness: 26, borderWidth: 0 }))) },
      options: {
        ...options({ ...axis('', v => `${precise.format(v)} s`), stacked: true, bounds: 'data' }, { stacked: true, border: { display: false } }, {
          title: items => items[0].label,
          label: item => `${item.dataset.label}: ${precise.format(item.parsed.x * 1000)} ms`,
        }),
        parsing: true,
        indexAxis: 'y',
        interaction: { mode: 'nearest', axis: 'xy', intersect: true },
      },
    });
    this.all = [this.loss, this.probe, this.throughput, this.rate, this.correlation, this.time];
    this.paint();
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.paint());
    document.getElementById('log').addEventListener('click', event => this.toggleLog(event.currentTarget));
  }

  paint() {
    for (const chart of this.all) {
      coloured(chart.data.datasets);
      // The untrained model is the hollow point.
      this.correlation.data.datasets[0].pointBackgroundColor = point => colour(point.raw?.step === 0 ? 'card' : 'accuracy');
      for (const scale of Object.values(chart.options.scales)) {
        scale.grid = { color: colour('grid'), drawTicks: false };
        scale.ticks = { ...scale.ticks, color: colour('muted'), padding: 6 };
        if (scale.title) scale.title.color = colour('muted');
      }
      this.time.options.scales.y.grid = { display: false };
      Object.assign(chart.options.plugins.tooltip, {
        backgroundColor: colour('ink'), titleColor: colour('card'), bodyColor: colour('card'), padding: 9, cornerRadius: 8,
      });
      // Not 'none': that mode keeps the colours that points and bars were first drawn with.
      chart.update();
    }
  }

  toggleLog(button) {
    const log = button.getAttribute('aria-pressed') !== 'true';
    button.setAttribute('aria-pressed', String(log));
    this.loss.options.scales.y.type = log ? 'logarithmic' : 'linear';
    this.loss.update('none');
  }

  curves(curves, steps) {
    this.#show(this.loss, 'loss', [curves.validation, curves.loss], steps);
    this.#show(this.throughput, 'throughput', [curves.imagesPerSecond], steps);
    this.#show(this.rate, 'rate', [curves.learningRate], steps);
  }

  probes(probes, correlation, steps) {
    const points = probes.filter(p => reported(p.accuracy)).map(p => ({ x: p.step, y: 100 * p.accuracy }));
    const untrained = points.find(p => p.x === 0);
    const baseline = untrained && steps > 0 ? [{ x: 0, y: untrained.y }, { x: steps, y: untrained.y }] : [];
    this.#show(this.probe, 'probe', [points, baseline], steps);
    const pairs = probes.filter(p => reported(p.accuracy) && reported(p.validationLoss))
      .map(p => ({ x: p.validationLoss, y: 100 * p.accuracy, step: p.step }));
    this.#show(this.correlation, 'correlation', [pairs, reported(correlation.pearson) ? leastSquares(pairs) : []]);
  }

  /** The slowest ranks when there are many: they set the pace. */
  times(ranks) {
    const total = rank => PARTS.reduce((sum, part) => sum + (rank.recent[part] ?? 0), 0);
    const shown = ranks.filter(rank => rank.active).sort((a, b) => total(b) - total(a)).slice(0, MAX_RANKS)
      .sort((a, b) => a.rank - b.rank);
    const active = ranks.filter(rank => rank.active).length;
    document.getElementById('time-note').textContent = active > MAX_RANKS ? `the ${MAX_RANKS} slowest of ${active} ranks` : '';
    document.documentElement.style.setProperty('--bars', `${Math.max(2, shown.length) * 32 + 32}px`);
    this.time.data.labels = shown.map(rank => `rank ${rank.rank}`);
    this.time.data.datasets.forEach(dataset => {
      dataset.data = shown.map(rank => rank.recent[dataset.name]);
    });
    document.getElementById('empty-time').hidden = shown.length > 0;
    this.time.update('none');
  }

  #show(chart, name, data, steps) {
    data.forEach((points, i) => {
      chart.data.datasets[i].data = points ?? [];
    });
    if (steps) {
      chart.options.scales.x.min = 0;
      chart.options.scales.x.max = steps;
    }
    document.getElementById(`empty-${name}`).hidden = data.some(points => points?.length > 0);
    chart.update('none');
  }
}

function leastSquares(points) {
  const n = points.length;
  const meanX = points.reduce((sum, p) => sum + p.x, 0) / n;
  const meanY = points.reduce((sum, p) => sum + p.y, 0) / n;
  const slope = points.reduce((sum, p) => sum + (p.x - meanX) * (p.y - meanY), 0)
    / points.reduce((sum, p) => sum + (p.x - meanX) ** 2, 0);
  const low = Math.min(...points.map(p => p.x));
  const high = Math.max(...points.map(p => p.x));
  return [low, high].map(x => ({ x, y: meanY + slope * (x - meanX) }));
}

// What a chart shows as a file: a picture as it stands, with its title and legend, or the numbers as a table. Both are made
// here in the browser; nothing is asked of the server.
import { byId, element } from './format.js';

const HEAD = 34;
const PAD = 14;

/** Two buttons in the caption of the chart's figure. */
export function addExport(chart, name) {
  const caption = chart.canvas.closest('figure').querySelector('figcaption');
  const title = caption.querySelector('h2').textContent;
  const tools = caption.querySelector('.tools') ?? caption.appendChild(element('span', 'tools'));
  for (const [kind, make] of [['PNG', png], ['CSV', csv]]) {
    const button = element('button', 'export', kind);
    button.type = 'button';
    button.id = `${kind.toLowerCase()}-${name}`;
    button.setAttribute('aria-label', `${title}: download as ${kind}`);
    button.addEventListener('click', async () => download(await make(chart, caption.querySelector('h2').textContent), `${file(name)}.${kind.toLowerCase()}`));
    tools.append(button);
  }
}

function file(name) {
  return `${byId('run').textContent}-${name}`.replace(/[^\p{L}\p{N}._-]+/gu, '-');
}

function download(blob, fileName) {
  const link = element('a');
  link.href = URL.createObjectURL(blob);
  link.download = fileName;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

// ---- the picture ----

function png(chart, title) {
  const style = getComputedStyle(document.documentElement);
  const colour = name => style.getPropertyValue(`--${name}`).trim();
  const scale = chart.canvas.width / chart.width;
  const picture = document.createElement('canvas');
  picture.width = chart.canvas.width + 2 * PAD * scale;
  picture.height = chart.canvas.height + (HEAD + 2 * PAD) * scale;
  const pen = picture.getContext('2d');
  pen.scale(scale, scale);
  pen.fillStyle = colour('card');
  pen.fillRect(0, 0, picture.width, picture.height);
  pen.textBaseline = 'middle';
  const middle = PAD + HEAD / 2 - 6;
  let left = PAD;
  const write = (text, font, ink) => {
    pen.font = `${font} ${getComputedStyle(document.body).fontFamily}`;
    pen.fillStyle = ink;
    pen.fillText(text, left, middle);
    left += pen.measureText(text).width + 14;
  };
  write(title, '640 14px', colour('ink'));
  for (const dataset of chart.data.datasets.filter((one, i) => one.data.length > 0 && chart.isDatasetVisible(i))) {
    pen.fillStyle = dataset.borderColor;
    pen.fillRect(left, middle - 5, 11, 11);
    left += 17;
    write(dataset.label, '12px', colour('muted'));
  }
  pen.drawImage(chart.canvas, PAD, HEAD + PAD, chart.width, chart.height);
  return new Promise(resolve => picture.toBlob(resolve, 'image/png'));
}

// ---- the table ----

const quoted = text => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
const value = number => (Number.isFinite(number) ? String(number) : '');

function csv(chart) {
  const lines = chart.data.labels?.length > 0 ? ofBars(chart) : ofPoints(chart);
  return new Blob([lines.map(cells => `${cells.map(quoted).join(',')}\r\n`).join('')], { type: 'text/csv' });
}

function ofBars(chart) {
  const datasets = chart.data.datasets;
  const { x, y } = chart.options.scales;
  return [[y.title.text, ...datasets.map(dataset => `${dataset.label} (${x.title.text})`)],
    ...chart.data.labels.map((label, row) => [label, ...datasets.map(dataset => value(dataset.data[row]))])];
}

/** A row for each place on the x axis, with a column for each curve, and for the steps of measured pairs. */
function ofPoints(chart) {
  const datasets = chart.data.datasets;
  const rows = [];
  const last = new Map();
  datasets.forEach((dataset, column) => dataset.data.forEach(point => {
    let row = last.get(point.x);
    if (!row || row.cells[column] !== '') {
      row = { x: point.x, cells: datasets.map(() => ''), step: '' };
      last.set(point.x, row);
      rows.push(row);
    }
    row.cells[column] = value(point.y);
    if (point.step !== undefined) row.step = value(point.step);
  }));
  const what = chart.options.scales.x.title.text;
  const pairs = what !== 'step' && rows.some(row => row.step !== '');
  return [[what, ...datasets.map(dataset => dataset.label), ...(pairs ? ['step'] : [])],
    ...rows.sort((a, b) => a.x - b.x).map(row => [value(row.x), ...row.cells, ...(pairs ? [row.step] : [])])];
}

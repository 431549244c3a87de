// Numbers as people read them, and elements that hold them. Everything that came from outside is written with textContent.

export const NONE = '\u00a0';

export const byId = id => document.getElementById(id);
export const set = (id, text) => { byId(id).textContent = text; };
export const known = value => typeof value === 'number' && Number.isFinite(value);

const grouped = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const short = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 2 });
const significant = new Intl.NumberFormat('en', { maximumSignificantDigits: 4 });

export const minus = text => text.replace(/-(?=[\d.])/g, '−');
export const whole = value => (known(value) ? grouped.format(value) : '–');
export const compact = value => (known(value) ? short.format(value) : '–');
export const precise = value => (known(value) ? significant.format(value) : '–');
export const loss = value => (known(value) ? value.toFixed(value < 10 ? 4 : 2) : '–');
export const rate = value => (!known(value) ? '–' : value === 0 ? '0' : value.toExponential(2));
export const speed = value => (!known(value) ? '–' : value < 100 ? value.toFixed(1) : whole(value));
export const percent = value => (known(value) ? `${(100 * value).toFixed(2)} %` : '–');
export const times = value => (known(value) ? `${value.toFixed(value < 10 ? 1 : 0)}` : '–');
export const step = value => (value < 0 ? '–' : whole(value));

export function bytes(value) {
  if (!known(value)) return '–';
  const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];
  const power = value < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(value) / 3));
  return `${(value / 1000 ** power).toFixed(power === 0 && Number.isInteger(value) ? 0 : 1)} ${units[power]}`;
}

export function seconds(value) {
  if (!known(value)) return '–';
  if (value > 0 && value < 1e-3) return `${precise(value * 1e6)} µs`;
  return value < 1 ? `${precise(value * 1e3)} ms` : `${precise(value)} s`;
}

export function duration(value) {
  if (!known(value)) return '–';
  const s = Math.round(value);
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min ${s % 60} s`;
  if (s < 86_400) return `${Math.floor(s / 3600)} h ${Math.floor(s / 60) % 60} min`;
  return `${Math.floor(s / 86_400)} d ${Math.floor(s / 3600) % 24} h`;
}

/** A node or a run that says nothing for this long is called quiet. */
export const QUIET_MILLIS = 30_000;

/** The server's clock minus this one's. */
export const clock = { skew: 0 };
export const now = () => Date.now() + clock.skew;
export const ago = millis => (millis > 0 ? `${duration(Math.max(0, (now() - millis) / 1000))} ago` : '–');

/** Between two values, or nothing: the interval of what too few points were measured for. */
export const interval = (low, high, format) => (known(low) && known(high) ? `${format(low)} to ${format(high)}` : '–');

export function element(tag, className, text) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  if (text !== undefined) node.textContent = text;
  return node;
}

export function time(millis) {
  const when = new Date(millis);
  const node = element('time', '', when.toLocaleTimeString('en-GB'));
  node.dateTime = when.toISOString();
  node.title = when.toLocaleString('en-GB');
  return node;
}

/** A cell of a table: text, or an element; numbers stand on the right. */
export const cell = content => {
  const node = element('td');
  node.append(content);
  return node;
};

export function number(text) {
  return element('td', 'number', text);
}

/** Fills a table's body, or says why it is empty. */
export function rows(id, list, none) {
  const body = byId(id);
  const columns = body.parentElement.tHead.rows[0].cells.length;
  if (list.length > 0) {
    body.replaceChildren(...list.map(cells => {
      const row = element('tr');
      row.append(...cells);
      return row;
    }));
  } else if (!body.querySelector('.none') || body.textContent !== none) {
    const only = element('td', 'none', none);
    only.colSpan = columns;
    const row = element('tr');
    row.append(only);
    body.replaceChildren(row);
  }
}

/** A list of figures: what each is, its value, how sure it is, and what it means. */
export function figures(id, entries) {
  byId(id).replaceChildren(...entries.map(([name, value, sure, means]) => {
    const entry = element('div');
    entry.append(element('dt', '', name), element('dd', 'value', value), element('dd', 'note', sure || '\u00a0'), element('dd', 'means', means));
    return entry;
  }));
}

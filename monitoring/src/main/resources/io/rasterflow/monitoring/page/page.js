// The live page. Everything that came from outside is written with textContent.
import { Actions } from './actions.js';
import { Charts, PARTS } from './charts.js';

const QUIET_MILLIS = 30_000;
const MAX_EVENTS = 200;
const MAX_SLOW_RANKS = 4;
const MAX_ALARMS = 8;

const byId = id => document.getElementById(id);
const set = (id, text) => { byId(id).textContent = text; };
const known = value => typeof value === 'number' && Number.isFinite(value);
const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const compact = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 2 });
const loss = value => (known(value) ? value.toFixed(value < 10 ? 4 : 2) : '–');
const rate = value => (!known(value) ? '–' : value === 0 ? '0' : value.toExponential(2));
const speed = value => (!known(value) ? '–' : value < 100 ? value.toFixed(1) : whole.format(value));
const percent = value => (known(value) ? `${(100 * value).toFixed(2)} %` : '–');
const minus = text => text.replace(/-/g, '−');

const page = {
  charts: null,
  actions: null,
  curves: {},
  status: null,
  /** Server's clock minus this one's. */
  skew: 0,
  connected: false,
};

function duration(seconds) {
  if (!known(seconds)) return '–';
  const s = Math.round(seconds);
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min ${s % 60} s`;
  if (s < 86_400) return `${Math.floor(s / 3600)} h ${Math.floor(s / 60) % 60} min`;
  return `${Math.floor(s / 86_400)} d ${Math.floor(s / 3600) % 24} h`;
}

const ago = millis => (millis > 0 ? `${duration(Math.max(0, (Date.now() + page.skew - millis) / 1000))} ago` : '–');

function element(tag, className, text) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  if (text !== undefined) node.textContent = text;
  return node;
}

// ---- what arrives ----

function onPiece(event) {
  const { now, run } = JSON.parse(event.data);
  page.skew = now - Date.now();
  page.status = run.status;
  if (run.full) {
    page.curves = {};
    byId('events').replaceChildren(element('li', 'none', 'nothing yet'));
  }
  for (const [name, tail] of Object.entries(run.curves)) {
    const kept = (page.curves[name] ?? []).filter(point => point.x < tail.from);
    page.curves[name] = kept.concat(tail.steps.map((step, i) => ({ x: step, y: tail.values[i] ?? NaN })));
  }
  showState();
  page.actions.show(run.status);
  showHead(run.status);
  showAlarms(run.status.alarms);
  showSlowRanks(run.status);
  showTiles(run.status);
  showFindings(run.status);
  page.charts.curves(page.curves, run.status.steps);
  page.charts.probes(run.status.probes, run.status.correlation, run.status.steps);
  page.charts.times(run.status.ranks);
  describeCharts(run.status);
  showNodes(run.status.nodes);
  run.events.forEach(showEvent);
}

function connect() {
  const source = new EventSource('events');
  source.addEventListener('snapshot', onPiece);
  source.addEventListener('update', onPiece);
  source.onopen = () => { page.connected = true; showState(); };
  source.onerror = () => {
    page.connected = false;
    showState();
    // The browser retries a broken connection by itself, but not a refused one.
    if (source.readyState === EventSource.CLOSED) setTimeout(connect, 3000);
  };
}

// ---- what is shown ----

function showState() {
  const status = page.status;
  const ended = status && !['training', 'waiting', 'paused'].includes(status.state);
  let state = 'connecting';
  let text = 'connecting';
  if (ended) {
    [state, text] = [status.state, status.state];
  } else if (!page.connected && status) {
    [state, text] = ['reconnecting', 'reconnecting'];
  } else if (status?.state === 'waiting' || status?.state === 'paused') {
    [state, text] = [status.state, status.state];
  } else if (status) {
    const quiet = Date.now() + page.skew - status.lastMillis > QUIET_MILLIS;
    [state, text] = quiet ? ['quiet', `silent for ${ago(status.lastMillis).replace(' ago', '')}`] : ['live', 'live'];
  }
  if (byId('state-text').textContent !== text) set('state-text', text);
  byId('state').dataset.state = state;
}

function showHead(status) {
  const name = status.run || 'Waiting for a run';
  set('run', name);
  document.title = status.steps > 0 ? `${Math.floor(100 * status.step / status.steps)} % · ${name} · Rasterflow` : `${name} · Rasterflow`;
  const facts = [];
  if (status.parameters) facts.push(`${compact.format(status.parameters)} parameters`);
  if (status.precision) facts.push(status.precision);
  if (status.globalBatch) facts.push(`batch ${whole.format(status.globalBatch)}`);
  if (status.trainImages) facts.push(`${whole.format(status.trainImages)} training images`);
  if (status.firstStep) facts.push(`resumed at step ${whole.format(status.firstStep)}`);
  if (status.badSamples) facts.push(`${whole.format(status.badSamples)} bad samples replaced`);
  if (status.detail) facts.push(status.detail);
  set('facts', facts.join('  ·  ') || '\u00a0');
  const share = status.steps > 0 ? Math.min(1, status.step / status.steps) : 0;
  byId('progress-fill').style.transform = `scaleX(${share})`;
  byId('progress').setAttribute('aria-valuenow', Math.floor(100 * share));
  set('progress-steps', status.steps > 0
    ? `step ${whole.format(status.step)} of ${whole.format(status.steps)} · epoch ${status.epoch.toFixed(2)}` : 'no step yet');
  const finished = status.state !== 'training' && status.state !== 'paused';
  const took = `took ${duration((status.lastMillis - status.startedMillis) / 1000)}`;
  set('progress-left', finished ? (status.startedMillis ? took : '') : known(status.secondsLeft) ? `about ${duration(status.secondsLeft)} left` : '');
}

/** What is raised now; nothing while there is nothing. */
function showAlarms(alarms) {
  const lines = alarms.slice(-MAX_ALARMS).reverse();
  const key = lines.map(alarm => [alarm.alarm, alarm.subject, alarm.timeMillis].join()).join(';') + alarms.length;
  const list = byId('alarms');
  // Set only when it changes, for a screen reader says it each time.
  if (list.dataset.key === key) return;
  list.dataset.key = key;
  list.replaceChildren(...lines.map(alarm => {
    const line = element('p');
    line.dataset.alarm = alarm.alarm;
    line.append(element('strong', '', alarm.alarm.replaceAll('-', ' ')), ` ${alarm.text}. `,
      element('span', 'advice', `Try: ${alarm.advice}.`), element('span', 'since', ` Since step ${whole.format(alarm.step)}.`));
    return line;
  }));
  if (alarms.length > lines.length) list.append(element('p', '', `and ${whole.format(alarms.length - lines.length)} more`));
  list.hidden = alarms.length === 0;
}

/** The ranks that all others wait for, where no alarm says so; nothing while there is none. */
function showSlowRanks(status) {
  const said = new Set(status.alarms.filter(alarm => alarm.alarm === 'straggler').map(alarm => alarm.subject));
  const slow = status.slowRanks.filter(rank => !said.has(`rank ${rank.rank}`));
  const lines = slow.slice(0, MAX_SLOW_RANKS).map(r => `rank ${r.rank} (${r.node}) takes ${r.ratio.toFixed(r.ratio < 10 ? 1 : 0)}`
    + ` times as long per micro-batch as the others; the difference is in ${r.part}`);
  if (slow.length > lines.length) lines.push(`and ${whole.format(slow.length - lines.length)} more ranks`);
  const notice = byId('slow-ranks');
  // Set only when it changes, for a screen reader says it each time.
  if (notice.textContent !== lines.join('')) notice.replaceChildren(...lines.map(line => element('p', '', line)));
  notice.hidden = lines.length === 0;
}

function showTiles(status) {
  set('tile-loss', loss(status.loss));
  set('note-loss', known(status.trainLossFirst) ? `${loss(status.trainLossFirst)} at first` : '\u00a0');
  set('tile-validation', loss(status.validationLossLast));
  compare('note-validation', status.validationLossLast - status.validationLossFirst, delta => minus(delta.toFixed(4)), -1,
    `from ${loss(status.validationLossFirst)}`);
  const kind = status.probes[0]?.kind;
  const probes = status.probes.filter(probe => probe.kind === kind);
  const last = probes.at(-1);
  const untrained = probes.find(probe => probe.step === 0);
  set('tile-probe', percent(last?.accuracy));
  compare('note-probe', last && untrained && last !== untrained ? 100 * (last.accuracy - untrained.accuracy) : NaN,
    delta => `${minus(delta.toFixed(2))} pts`, 1, 'vs untrained', last ? `${kind}, step ${whole.format(last.step)}` : '\u00a0');
  set('tile-throughput', speed(status.imagesPerSecond));
  set('note-throughput', known(status.imagesPerSecondAverage) ? `${speed(status.imagesPerSecondAverage)} on average` : '\u00a0');
  set('tile-rate', rate(status.learningRate));
  set('note-rate', known(status.gradientNorm) ? `gradient norm ${status.gradientNorm.toPrecision(3)}` : '\u00a0');
  set('tile-world', status.worldSize ? `${whole.format(status.worldSize)} ${status.worldSize === 1 ? 'rank' : 'ranks'}` : '–');
  set('note-world', status.worldSize ? `generation ${whole.format(status.generation)}` : '\u00a0');
}

/** A signed difference, coloured by whether it goes the wished way; its sign says the same without colour. */
function compare(id, delta, format, wished, text, otherwise = '\u00a0') {
  const note = byId(id);
  if (!known(delta) || delta === 0) {
    note.textContent = otherwise;
    return;
  }
  const sign = delta > 0 ? '+' : '';
  note.replaceChildren(element('span', delta * wished > 0 ? 'better' : 'worse', sign + format(delta)), ` ${text}`);
}

function showFindings(status) {
  const c = status.correlation;
  const finding = byId('correlation');
  if (c.points < 3) {
    finding.textContent = `needs 3 points, has ${c.points}`;
  } else if (!known(c.pearson)) {
    finding.textContent = `undefined: the values of ${c.points} points do not vary`;
  } else {
    const interval = known(c.pearsonLow) ? ` (95 %: ${c.pearsonLow.toFixed(2)} to ${c.pearsonHigh.toFixed(2)})` : '';
    finding.replaceChildren(element('strong', '', minus(`r = ${c.pearson.toFixed(3)}`)),
      minus(`${interval}  ·  ρ = ${c.spearman.toFixed(3)}  ·  n = ${c.points}`));
  }
  const rates = (page.curves.learningRate ?? []).map(point => point.y).filter(known);
  const noise = known(status.noiseScale) ? `  ·  noise scale ${compact.format(status.noiseScale)} images` : '';
  set('finding-rate', rates.length ? `peak so far ${rate(rates.reduce((a, b) => Math.max(a, b), 0))}${noise}` : '\u00a0');
  set('finding-throughput', known(status.imagesPerSecondAverage) ? `${whole.format(status.imagesDone)} images so far` : '\u00a0');
}

/** What a chart says, for those who do not see it. */
function describeCharts(status) {
  const label = (id, text) => byId(id).setAttribute('aria-label', text);
  label('chart-loss', `Loss over steps: training ${loss(status.loss)}, validation ${loss(status.validationLossLast)} at step ${status.step}`);
  label('chart-probe', `Probe accuracy over steps: ${status.probes.map(p => `${percent(p.accuracy)} at step ${p.step}`).slice(-6).join(', ')}`);
  label('chart-correlation', `Probe accuracy against validation loss: ${byId('correlation').textContent}`);
  label('chart-throughput', `Images per second over steps: now ${speed(status.imagesPerSecond)}`);
  label('chart-rate', `Learning rate over steps: now ${rate(status.learningRate)}`);
  label('chart-time', `Seconds of a step: ${status.ranks.filter(r => r.active).slice(0, 16)
    .map(r => `rank ${r.rank}: ${PARTS.map(p => `${p} ${(r.recent[p] ?? 0).toPrecision(2)}`).join(', ')}`).join('; ')}`);
}

function showNodes(nodes) {
  if (nodes.length === 0) return;
  byId('nodes').replaceChildren(...nodes.map(node => {
    const row = element('tr');
    const quiet = node.state === 'up' && node.rank >= 0 && page.status.state === 'training'
      && Date.now() + page.skew - node.lastSeenMillis > QUIET_MILLIS;
    const state = quiet ? 'quiet' : node.state;
    const badge = element('td');
    badge.append(element('span', `badge ${state}`, state));
    const seen = element('td', 'number', ago(node.lastSeenMillis));
    seen.dataset.seen = node.lastSeenMillis;
    row.append(element('td', '', node.node), element('td', 'number', node.rank < 0 ? '–' : node.rank),
      element('td', '', node.roles || '–'), badge, element('td', 'number', speed(node.imagesPerSecond)),
      element('td', 'number', node.step < 0 ? '–' : whole.format(node.step)), seen);
    return row;
  }));
}

function showEvent(event) {
  const list = byId('events');
  const item = element('li');
  item.dataset.kind = event.kind;
  const when = new Date(event.timeMillis);
  const time = element('time', '', when.toLocaleTimeString('en-GB'));
  time.dateTime = when.toISOString();
  const badge = element('span');
  badge.append(element('span', `badge ${event.kind}`, event.kind.replaceAll('-', ' ') + (event.count > 1 ? ` ×${whole.format(event.count)}` : '')));
  item.append(time, badge, element('span', 'what', event.text),
    element('span', 'where', event.step < 0 ? event.node : `step ${whole.format(event.step)}`));
  // A line that was counted up comes again and takes the place of its last state.
  if (event.count > 1 && list.firstElementChild?.dataset.kind === event.kind) list.firstElementChild.remove();
  if (list.firstElementChild?.classList.contains('none')) list.replaceChildren();
  list.prepend(item);
  while (list.children.length > MAX_EVENTS) list.lastElementChild.remove();
}

function tick() {
  if (page.status) showState();
  document.querySelectorAll('[data-seen]').forEach(cell => { cell.textContent = ago(Number(cell.dataset.seen)); });
}

byId('time-legend').replaceChildren(...PARTS.map(part => {
  const key = element('i', `key ${part}`);
  key.setAttribute('aria-hidden', 'true');
  const entry = element('span');
  entry.append(key, part);
  return entry;
}));
page.charts = new Charts();
page.actions = new Actions(byId('actions'));
connect();
setInterval(tick, 1000);

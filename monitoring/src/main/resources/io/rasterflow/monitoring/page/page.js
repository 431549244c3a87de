// The live page: what arrives, the head that all views share, and the view that is shown.
import { Actions } from './actions.js';
import * as alarms from './alarms.js';
import * as cluster from './cluster.js';
import { followRuns } from './compare.js';
import * as data from './data.js';
import { ago, byId, clock, compact, duration, element, known, NONE, now, QUIET_MILLIS, set, times, whole } from './format.js';
import { seekHeir } from './heirs.js';
import { followImages } from './images.js';
import * as run from './run.js';
import * as science from './science.js';
import * as time from './time.js';
import { followTogether } from './together.js';
import { isShown, whenShown } from './views.js';

const MAX_EVENTS = 200;
const MAX_SLOW_RANKS = 4;
const MAX_ALARMS = 8;

const VIEWS = { run, time, cluster, science, data, alarms };

const page = {
  /** By name: points {x: step, y: value}. */
  curves: {},
  /** The newest first. */
  events: [],
  status: null,
  connected: false,
  /** Addresses at which the page may go on when its node is lost. */
  heirs: [],
  actions: null,
};

// ---- what arrives ----

function onPiece(event) {
  const { now: serverMillis, run: news, heirs } = JSON.parse(event.data);
  clock.skew = serverMillis - Date.now();
  page.status = news.status;
  page.connected = true;
  page.heirs = heirs;
  if (news.full) {
    page.curves = {};
    page.events = [];
  }
  for (const [name, tail] of Object.entries(news.curves)) {
    const kept = (page.curves[name] ?? []).filter(point => point.x < tail.from);
    page.curves[name] = kept.concat(tail.steps.map((step, i) => ({ x: step, y: tail.values[i] ?? NaN })));
  }
  news.events.forEach(addEvent);
  data.follow(news.status);
  showState();
  page.actions.show(news.status);
  showHead(news.status);
  showAlarms(news.status.alarms);
  showSlowRanks(news.status);
  showMissing(news.status.missing);
  for (const [name, view] of Object.entries(VIEWS)) {
    if (isShown(name)) view.show(page);
  }
  followImages(news.status.imagesStep, news.status.probes.length);
  byId('main').dataset.ready = '';
}

function addEvent(event) {
  // A line that was counted up comes again and takes the place of its last state.
  if (event.count > 1 && page.events[0]?.kind === event.kind) page.events.shift();
  page.events.unshift(event);
  page.events.length = Math.min(page.events.length, MAX_EVENTS);
}

function connect() {
  const source = new EventSource('events');
  source.addEventListener('snapshot', onPiece);
  source.addEventListener('update', onPiece);
  source.onerror = () => {
    page.connected = false;
    showState();
    page.actions.lost();
    // The browser retries a broken connection by itself, but not a refused one.
    if (source.readyState === EventSource.CLOSED) setTimeout(connect, 3000);
  };
}

// ---- what all views share ----

const isOver = status => !['training', 'waiting', 'paused'].includes(status.state);
const isReconnecting = () => page.status && !page.connected && !isOver(page.status);

function showState() {
  const status = page.status;
  let state = 'connecting';
  let text = 'connecting';
  if (status && isOver(status)) {
    [state, text] = [status.state, status.state];
  } else if (isReconnecting()) {
    [state, text] = ['reconnecting', 'reconnecting'];
  } else if (status?.state === 'waiting' || status?.state === 'paused') {
    [state, text] = [status.state, status.state];
  } else if (status) {
    const quiet = now() - status.lastMillis > QUIET_MILLIS;
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
  if (status.parameters) facts.push(`${compact(status.parameters)} parameters`);
  if (status.precision) facts.push(status.precision);
  if (status.globalBatch) facts.push(`batch ${whole(status.globalBatch)}`);
  if (status.trainImages) facts.push(`${whole(status.trainImages)} training images`);
  if (status.firstStep) facts.push(`resumed at step ${whole(status.firstStep)}`);
  if (status.badSamples) facts.push(`${whole(status.badSamples)} bad samples replaced`);
  if (status.detail) facts.push(status.detail);
  set('facts', facts.join('  ·  ') || NONE);
  const share = status.steps > 0 ? Math.min(1, status.step / status.steps) : 0;
  byId('progress-fill').style.transform = `scaleX(${share})`;
  byId('progress').setAttribute('aria-valuenow', Math.floor(100 * share));
  set('progress-steps', status.steps > 0
    ? `step ${whole(status.step)} of ${whole(status.steps)} · epoch ${status.epoch.toFixed(2)}` : 'no step yet');
  const finished = status.state !== 'training' && status.state !== 'paused';
  const took = `took ${duration((status.lastMillis - status.startedMillis) / 1000)}`;
  set('progress-left', finished ? (status.startedMillis ? took : '') : known(status.secondsLeft) ? `about ${duration(status.secondsLeft)} left` : '');
}

/** What is raised now; nothing while there is nothing. */
function showAlarms(standing) {
  const lines = standing.slice(-MAX_ALARMS).reverse();
  const key = lines.map(alarm => [alarm.alarm, alarm.subject, alarm.timeMillis].join()).join(';') + standing.length;
  const list = byId('alarms');
  // Set only when it changes, for a screen reader says it each time.
  if (list.dataset.key === key) return;
  list.dataset.key = key;
  list.replaceChildren(...lines.map(alarm => {
    const line = element('p');
    line.dataset.alarm = alarm.alarm;
    line.append(element('strong', '', alarm.alarm.replaceAll('-', ' ')), ` ${alarm.text}. `,
      element('span', 'advice', `Try: ${alarm.advice}.`), element('span', 'since', ` Since step ${whole(alarm.step)}.`));
    return line;
  }));
  if (standing.length > lines.length) list.append(element('p', '', `and ${whole(standing.length - lines.length)} more`));
  list.hidden = standing.length === 0;
  byId('alarm-count').hidden = standing.length === 0;
  set('alarm-count', whole(standing.length));
}

/** The ranks that all others wait for, where no alarm says so; nothing while there is none. */
function showSlowRanks(status) {
  const said = new Set(status.alarms.filter(alarm => alarm.alarm === 'straggler').map(alarm => alarm.subject));
  const slow = status.slowRanks.filter(rank => !said.has(`rank ${rank.rank}`));
  const lines = slow.slice(0, MAX_SLOW_RANKS).map(r => `rank ${r.rank} (${r.node}) takes ${times(r.ratio)}`
    + ` times as long per micro-batch as the others; the difference is in ${r.part}`);
  if (slow.length > lines.length) lines.push(`and ${whole(slow.length - lines.length)} more ranks`);
  const notice = byId('slow-ranks');
  // Set only when it changes, for a screen reader says it each time.
  if (notice.textContent !== lines.join('')) notice.replaceChildren(...lines.map(line => element('p', '', line)));
  notice.hidden = lines.length === 0;
}

/** What of the run this page cannot know. */
function showMissing(missing) {
  const notice = byId('missing');
  if (notice.textContent !== missing) set('missing', missing);
  notice.hidden = !missing;
}

function tick() {
  if (page.status) showState();
  document.querySelectorAll('[data-seen]').forEach(seen => { seen.textContent = ago(Number(seen.dataset.seen)); });
}

page.actions = new Actions(byId('actions'));
for (const [name, view] of Object.entries(VIEWS)) {
  whenShown(name, () => { if (page.status) view.show(page); });
}
connect();
followRuns();
followTogether();
setInterval(tick, 1000);
setInterval(() => { if (isReconnecting()) seekHeir(page.status.run, page.heirs); }, 2000);

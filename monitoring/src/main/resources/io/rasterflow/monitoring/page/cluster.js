// The view of the cluster: who is there, who waits for whom, and what has happened.
import { ago, byId, bytes, cell, element, known, NONE, now, number, precise, QUIET_MILLIS, rows, seconds, set, speed, step, time, times, whole } from './format.js';

const WAITS = 8;

export function show({ status, events }) {
  tiles(status);
  waits(status);
  nodes(status);
  eventList(events);
}

function tiles(status) {
  set('cluster-world', status.worldSize ? `${whole(status.worldSize)} ${status.worldSize === 1 ? 'rank' : 'ranks'}` : '–');
  set('cluster-world-note', known(status.imagesPerSecond) ? `${speed(status.imagesPerSecond)} images/s together` : NONE);
  set('cluster-generation', status.worldSize ? whole(status.generation) : '–');
  set('cluster-generation-note', status.checkpoints ? `${whole(status.checkpoints)} checkpoints` : NONE);
  const up = status.nodes.filter(node => node.state === 'up').length;
  const down = status.nodes.length - up;
  set('cluster-nodes', status.nodes.length ? whole(up) : '–');
  set('cluster-nodes-note', down > 0 ? `${whole(down)} down` : up > 0 ? 'none down' : NONE);
  const least = status.disks.reduce((a, b) => (a?.freeBytes <= b.freeBytes ? a : b), null);
  set('cluster-disk', least ? bytes(least.freeBytes) : '–');
  set('cluster-disk-note', least ? `of ${bytes(least.totalBytes)} on ${least.node}` : NONE);
}

/** All ranks meet in the exchange, where those that are done wait for the slowest. */
function waits(status) {
  const active = status.ranks.filter(rank => rank.active);
  const slow = new Set(status.slowRanks.map(rank => rank.rank));
  const others = active.filter(rank => !slow.has(rank.rank));
  const mean = others.reduce((sum, rank) => sum + rank.recent.exchange, 0) / others.length;
  const lines = status.slowRanks.slice(0, WAITS).map(rank => {
    const own = active.find(one => one.rank === rank.rank)?.recent.exchange;
    const exchange = known(mean) && known(own) ? ` They spend ${seconds(mean)} of a step in the exchange, it ${seconds(own)}.` : '';
    return `The others wait for rank ${rank.rank} (${rank.node}) since step ${whole(rank.sinceStep)}: it takes ${times(rank.ratio)}`
      + ` times as long per micro-batch; the difference is in ${rank.part}.${exchange}`;
  });
  if (slow.size > lines.length) lines.push(`And for ${whole(slow.size - lines.length)} more ranks.`);
  const slowest = Math.max(...active.map(rank => rank.slowdown).filter(known));
  const none = active.length === 0 ? 'no step yet'
    : active.length === 1 ? 'one rank alone waits for nobody'
      : known(slowest) ? `nobody for long: the slowest takes ${precise(slowest)} times as long per micro-batch as the others`
        : 'not known before each rank has done some steps';
  byId('waits').replaceChildren(...(lines.length > 0 ? lines.map(line => element('li', '', line)) : [element('li', 'none', none)]));
}

function nodes(status) {
  const disks = new Map(status.disks.map(disk => [disk.node, disk]));
  rows('nodes', status.nodes.map(node => {
    const quiet = node.state === 'up' && node.rank >= 0 && status.state === 'training' && now() - node.lastSeenMillis > QUIET_MILLIS;
    const state = quiet ? 'quiet' : node.state;
    const seen = number(ago(node.lastSeenMillis));
    seen.dataset.seen = node.lastSeenMillis;
    const disk = disks.get(node.node);
    return [cell(node.node), number(node.rank < 0 ? '–' : node.rank), cell(node.roles || '–'), cell(element('span', `badge ${state}`, state)),
      number(speed(node.imagesPerSecond)), number(step(node.step)), number(bytes(disk?.freeBytes)), number(bytes(disk?.totalBytes)), seen];
  }), 'no node yet');
}

function eventList(events) {
  const list = byId('events');
  const newest = String(events[0]?.id ?? '');
  if (list.dataset.newest === newest) return;
  list.dataset.newest = newest;
  list.replaceChildren(...events.map(event => {
    const item = element('li');
    const badge = element('span');
    badge.append(element('span', `badge ${event.kind}`, event.kind.replaceAll('-', ' ') + (event.count > 1 ? ` ×${whole(event.count)}` : '')));
    item.append(time(event.timeMillis), badge, element('span', 'what', event.text),
      element('span', 'where', event.step < 0 ? event.node : `step ${whole(event.step)}`));
    return item;
  }));
}

// The view of the alarms: those that stand, what to try, and those that are over.
import { cell, duration, element, number, rows, time, whole } from './format.js';

const named = alarm => cell(element('span', 'badge alarm', alarm.alarm.replaceAll('-', ' ') + (alarm.subject ? `, ${alarm.subject}` : '')));

export function show({ status }) {
  rows('standing', [...status.alarms].reverse().map(alarm => [cell(time(alarm.timeMillis)), number(whole(alarm.step)), named(alarm),
    cell(alarm.text), cell(alarm.advice)]), 'no alarm stands');
  rows('past', status.pastAlarms.map(alarm => [cell(time(alarm.raisedMillis)), cell(time(alarm.overMillis)),
    number(`${whole(alarm.raisedStep)}–${whole(alarm.overStep)}`), named(alarm), cell(alarm.text),
    cell(`${alarm.over}, after ${duration((alarm.overMillis - alarm.raisedMillis) / 1000)}`)]), 'no alarm is over');
}

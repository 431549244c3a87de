// Probes of several kinds and labelled sets: what the run is judged by, and what it is called.

export const AVERAGE = 'average';

/** Accuracies of different kinds or sets cannot be compared; each has its own name. */
export const label = probe => [probe.kind, probe.set].filter(Boolean).join(' ');

/** Of those that were not made beside others: the mean over several sets; without several, the kind that came first. */
export function mainProbes({ probes }) {
  const own = probes.filter(probe => !probe.beside);
  const judging = own.length > 0 ? own : probes;
  const first = judging.find(probe => probe.set === AVERAGE) ?? judging[0];
  return probes.filter(probe => label(probe) === label(first));
}

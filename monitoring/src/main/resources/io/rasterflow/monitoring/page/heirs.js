// Goes on at another node's page when the one that served this page is lost.

const PATIENCE_MILLIS = 1500;

let seeking = false;

/** Asks every address once, and goes to the first that serves this run, to the same view. */
export async function seekHeir(run, heirs) {
  if (seeking) return;
  seeking = true;
  try {
    const heir = await Promise.any(heirs.map(address => serves(address, run)));
    location.replace(heir + location.hash);
  } catch {
    // None has taken over yet.
  } finally {
    seeking = false;
  }
}

async function serves(address, run) {
  const response = await fetch(`${address}healthz?run=${encodeURIComponent(run)}`,
    { cache: 'no-store', credentials: 'omit', signal: AbortSignal.timeout(PATIENCE_MILLIS) });
  if (!response.ok) throw new Error(`${address} serves another run`);
  return address;
}

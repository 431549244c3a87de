// Shows one view at a time, the one that the address names: #time shows the section view-time and marks its link. A view
// is a link in the <nav> and a section; nothing else has to know of it. A section that is shown gets the event 'shown'.
// After a question mark stands what is chosen in the view, #science?set=pets; its link keeps it.

const DEFAULT = 'run';

const links = [...document.querySelectorAll('.views a')];
const sections = [...document.querySelectorAll('.view')];

const nameIn = hash => hash.slice(1).split('?')[0];
const linkOf = name => links.find(link => nameIn(link.hash) === name);

/** Its name; of what no view has, the default's. */
function wanted() {
  const name = nameIn(location.hash);
  return sections.some(section => section.id === `view-${name}`) ? name : DEFAULT;
}

function show() {
  // The link that skips the head leads into the view that is shown.
  if (location.hash === '#main') return;
  const name = wanted();
  for (const link of links) {
    if (nameIn(link.hash) === name) {
      // Not link.hash = …, which makes the address whole.
      if (nameIn(location.hash) === name) link.setAttribute('href', location.hash);
      link.setAttribute('aria-current', 'page');
      // On a narrow screen the links scroll.
      link.parentElement.scrollLeft = link.offsetLeft - link.parentElement.clientWidth / 3;
    } else {
      link.removeAttribute('aria-current');
    }
  }
  for (const section of sections) section.hidden = section.id !== `view-${name}`;
  document.getElementById(`view-${name}`).dispatchEvent(new Event('shown'));
}

/** Calls back when a view is to be drawn: now if it is shown, and whenever it comes to be. */
export function whenShown(name, draw) {
  const section = document.getElementById(`view-${name}`);
  section.addEventListener('shown', draw);
  if (!section.hidden) draw();
}

/** What is chosen in a view; null where nothing is. */
export const option = (view, key) => new URLSearchParams(linkOf(view).hash.split('?')[1]).get(key);

/** Chooses in the view that is shown, so that its address says it; null or nothing chooses the default. */
export function choose(view, key, value) {
  const link = linkOf(view);
  const options = new URLSearchParams(link.hash.split('?')[1]);
  if (value) options.set(key, value);
  else options.delete(key);
  link.setAttribute('href', `#${[view, options.toString()].filter(Boolean).join('?')}`);
  history.replaceState(null, '', link.hash);
}

export const isShown = name => !document.getElementById(`view-${name}`).hidden;

show();
addEventListener('hashchange', () => {
  show();
  // Browsers also go to an element with the name of the view.
  if (location.hash !== '#main') scrollTo(0, 0);
});

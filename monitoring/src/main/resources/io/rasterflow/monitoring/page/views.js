// Shows one view at a time, the one that the address names: #time shows the section view-time and marks its link. A view
// is a link in the <nav> and a section; nothing else has to know of it. A section that is shown gets the event 'shown'.

const DEFAULT = 'run';

const links = [...document.querySelectorAll('.views a')];
const sections = [...document.querySelectorAll('.view')];

/** Its name; of what no view has, the default's. */
function wanted() {
  const name = location.hash.slice(1);
  return sections.some(section => section.id === `view-${name}`) ? name : DEFAULT;
}

function show() {
  // The link that skips the head leads into the view that is shown.
  if (location.hash === '#main') return;
  const name = wanted();
  for (const link of links) {
    if (link.hash === `#${name}`) {
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

export const isShown = name => !document.getElementById(`view-${name}`).hidden;

show();
addEventListener('hashchange', () => {
  show();
  // Browsers also go to an element with the name of the view.
  if (location.hash !== '#main') scrollTo(0, 0);
});

// What the model predicts of a few validation images, one checkpoint at a time.

const byId = id => document.getElementById(id);
const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const loss = value => (value === null ? '–' : value.toFixed(4));
const percent = share => `${(100 * share).toFixed(2)} %`;
const slider = byId('images-step');
const set = byId('images-set');

/** Colours of shares from 0 to 1, of even steps, as in the pictures. */
const HEAT = [[0, 0, 4], [87, 16, 110], [188, 55, 84], [249, 142, 9], [252, 255, 164]];

let known;
let steps = [];
/** Counts up, so that an answer that was overtaken by another is dropped. */
let asked = 0;

/** Takes in the step of the last pictures and the number of probes, which add to them, and asks the server what there is when they change. */
export async function followImages(lastStep, probes) {
  const news = `${lastStep} ${probes}`;
  if (news === known) return;
  known = news;
  try {
    const listed = (await json('api/images')).steps;
    if (news !== known) return;
    const shown = steps[slider.valueAsNumber];
    const atEnd = slider.value === slider.max;
    steps = listed;
    slider.max = Math.max(0, steps.length - 1);
    slider.disabled = steps.length < 2;
    const index = atEnd ? steps.length - 1 : steps.findIndex(step => step >= shown);
    slider.value = index < 0 ? steps.length - 1 : index;
    byId('empty-images').hidden = steps.length > 0;
    await showStep();
  } catch (failure) {
    // With the next news of the run it is tried again.
    known = undefined;
    note(failure.message);
  }
}

async function json(path) {
  const answer = await fetch(path);
  if (!answer.ok) throw new Error(`${path}: ${(await answer.text()).trim()}`);
  return answer.json();
}

function note(text) { byId('images-note').textContent = text; }

async function showStep() {
  const step = steps[slider.valueAsNumber];
  if (step === undefined) return;
  byId('images-at').textContent = whole.format(step);
  slider.setAttribute('aria-valuetext', `step ${whole.format(step)}`);
  const request = ++asked;
  const folder = `images/step-${String(step).padStart(8, '0')}`;
  const picture = new Image();
  // A picture of the same name may have been replaced.
  picture.src = `${folder}/sheet.png?${request}`;
  const [sheet] = await Promise.all([json(`${folder}/sheet.json`), picture.decode()]);
  if (request !== asked) return;
  // Older programs wrote none.
  for (const image of sheet.images) image.attentions ??= [];
  showSets(sheet.images[0].attentions);
  const losses = sheet.images.map(image => image.loss).filter(value => value !== null);
  note(`Mean loss of these images ${loss(losses.length ? losses.reduce((a, b) => a + b) / losses.length : null)}. `
    + 'Every patch is predicted from the true patches that the model has seen, never from its own predictions, and drawn with '
    + 'the mean and contrast of the true patch where targets are normalised. Faint patches were shown and are not counted.'
    + (sheet.images[0].attentions.length > 0
      ? ' Attention is what the query of the probe takes of each patch: black nothing, pale yellow the most.' : ''));
  byId('images-worst').textContent = `${sheet.worst} or more`;
  const list = byId('pictures');
  const columns = shownColumns(sheet);
  const panels = columns.map(column => sheet.panels[column]);
  // A step that was probed has one panel more.
  if (list.dataset.panels !== panels.join()) list.replaceChildren();
  list.dataset.panels = panels.join();
  while (list.children.length > sheet.images.length) list.lastElementChild.remove();
  sheet.images.forEach((image, i) => showImage(list.children[i] ?? list.appendChild(row(panels, sheet.size)), sheet, i, picture, columns));
}

/** The labelled sets that there are probes of, to choose from where they are several. The choice stays from step to step. */
function showSets(attentions) {
  const names = attentions.map(attention => attention.set);
  if (set.dataset.names !== names.join()) {
    const chosen = set.value;
    set.replaceChildren(...names.map(name => new Option(name || 'the run’s images', name)));
    if (names.includes(chosen)) set.value = chosen;
    set.dataset.names = names.join();
  }
  byId('images-set-label').hidden = names.length < 2;
}

const chosenSet = () => Math.max(0, set.selectedIndex);

/** The columns of the picture that are shown: of the probes' panels, which are the last, that of the chosen set. */
function shownColumns(sheet) {
  const probes = sheet.images[0].attentions.length;
  const always = sheet.panels.length - probes;
  return [...Array(always).keys(), ...(probes > 0 ? [always + chosenSet()] : [])];
}

/** The row of an image, still empty; it is kept from one step to the next. */
function row(names, size) {
  const item = document.createElement('li');
  const panels = document.createElement('div');
  panels.className = 'panels';
  panels.style.setProperty('--panels', names.length);
  panels.append(...names.map(name => figure(name, size)));
  const heads = document.createElement('div');
  heads.className = 'heads';
  item.append(document.createElement('h3'), panels, heads);
  return item;
}

function figure(text, size) {
  const made = document.createElement('figure');
  const canvas = document.createElement('canvas');
  canvas.setAttribute('role', 'img');
  canvas.width = canvas.height = size;
  const caption = document.createElement('figcaption');
  caption.textContent = text;
  made.append(canvas, caption);
  return made;
}

function showImage(item, sheet, i, picture, columns) {
  const image = sheet.images[i];
  const name = `image ${i + 1}${image.label < 0 ? '' : ` (label ${image.label})`}`;
  item.firstElementChild.textContent = `${name[0].toUpperCase()}${name.slice(1)}  ·  loss ${loss(image.loss)}`;
  const descriptions = describe(sheet, image, name);
  item.querySelectorAll('.panels canvas').forEach((canvas, place) => {
    canvas.setAttribute('aria-label', descriptions[place]);
    const pen = canvas.getContext('2d');
    const cell = sheet.size + sheet.gap;
    pen.clearRect(0, 0, sheet.size, sheet.size);
    pen.drawImage(picture, columns[place] * cell, i * cell, sheet.size, sheet.size, 0, 0, sheet.size, sheet.size);
  });
  item.querySelectorAll('figcaption')[1].textContent = `shown, ${image.shown} of ${image.losses.length}`;
  showHeads(item.querySelector('.heads'), sheet, image, name);
}

/** One small map for each head, a pixel a patch. */
function showHeads(row, sheet, image, name) {
  const heads = image.attentions[chosenSet()]?.heads ?? [];
  row.hidden = heads.length === 0;
  while (row.children.length > heads.length) row.lastElementChild.remove();
  heads.forEach((patches, head) => {
    const canvas = (row.children[head] ?? row.appendChild(figure(`head ${head + 1}`, sheet.grid))).querySelector('canvas');
    canvas.setAttribute('aria-label', `where head ${head + 1} looks in ${name}; ${most(patches, sheet.grid)}`);
    const pen = canvas.getContext('2d');
    const map = pen.createImageData(sheet.grid, sheet.grid);
    const largest = Math.max(...patches);
    patches.forEach((share, patch) => map.data.set([...heat(share / largest), 255], 4 * patch));
    pen.putImageData(map, 0, 0);
  });
}

function heat(share) {
  const place = share * (HEAT.length - 1);
  const lower = Math.min(HEAT.length - 2, Math.floor(place));
  return HEAT[lower].map((from, i) => Math.round(from + (place - lower) * (HEAT[lower + 1][i] - from)));
}

/** Of which patch the most is taken. */
function most(patches, grid) {
  const patch = patches.indexOf(Math.max(...patches));
  return `it takes the most, ${percent(patches[patch])}, of row ${Math.floor(patch / grid) + 1}, column ${patch % grid + 1} of ${grid}`;
}

/** What the panels say, for those who do not see them. */
function describe(sheet, image, name) {
  const patches = image.losses.length;
  const worst = image.losses.reduce((most, value, patch) => (value !== null && value > (image.losses[most] ?? -1) ? patch : most), -1);
  const where = worst < 0 ? '' : `; the highest is ${loss(image.losses[worst])} in row ${Math.floor(worst / sheet.grid) + 1},`
    + ` column ${worst % sheet.grid + 1} of ${sheet.grid}`;
  const { set: learned, heads } = image.attentions[chosenSet()] ?? { heads: [] };
  const mean = heads[0]?.map((_, patch) => heads.reduce((sum, head) => sum + head[patch], 0) / heads.length);
  return [
    `${name} as it is`,
    `the ${image.shown} of ${patches} patches of ${name} that the model was shown`,
    `what the model predicts of the other ${patches - image.shown} patches of ${name}, with a loss of ${loss(image.loss)}`,
    `loss of each of these patches of ${name}${where}`,
    mean && `where an attentive probe${learned ? ` on ${learned}` : ''} looks in ${name}, mean of its ${heads.length} ${heads.length === 1 ? 'head' : 'heads'}; ${most(mean, sheet.grid)}`,
  ];
}

const redraw = () => showStep().catch(failure => note(failure.message));
slider.addEventListener('input', redraw);
set.addEventListener('change', redraw);

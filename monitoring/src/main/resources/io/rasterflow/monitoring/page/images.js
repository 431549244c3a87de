// What the model predicts of a few validation images, one checkpoint at a time.

const byId = id => document.getElementById(id);
const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const loss = value => (value === null ? '–' : value.toFixed(4));
const slider = byId('images-step');

let known;
let steps = [];
/** Counts up, so that an answer that was overtaken by another is dropped. */
let asked = 0;

/** Takes in the step of the last pictures, and asks the server what there is when it changes. */
export async function followImages(lastStep) {
  if (lastStep === known) return;
  known = lastStep;
  try {
    const listed = (await json('api/images')).steps;
    if (lastStep !== known) return;
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
  picture.src = `${folder}/sheet.png`;
  const [sheet] = await Promise.all([json(`${folder}/sheet.json`), picture.decode()]);
  if (request !== asked) return;
  const losses = sheet.images.map(image => image.loss).filter(value => value !== null);
  note(`Mean loss of these images ${loss(losses.length ? losses.reduce((a, b) => a + b) / losses.length : null)}. `
    + 'Every patch is predicted from the true patches that the model has seen, never from its own predictions, and drawn with '
    + 'the mean and contrast of the true patch where targets are normalised. Faint patches were shown and are not counted.');
  byId('images-worst').textContent = `${sheet.worst} or more`;
  const list = byId('pictures');
  while (list.children.length > sheet.images.length) list.lastElementChild.remove();
  sheet.images.forEach((image, i) => showImage(list.children[i] ?? list.appendChild(row(sheet)), sheet, i, picture));
}

/** The row of an image, still empty; it is kept from one step to the next. */
function row(sheet) {
  const item = document.createElement('li');
  const panels = document.createElement('div');
  panels.className = 'panels';
  for (const panel of sheet.panels) {
    const figure = document.createElement('figure');
    const canvas = document.createElement('canvas');
    canvas.setAttribute('role', 'img');
    canvas.width = canvas.height = sheet.size;
    const caption = document.createElement('figcaption');
    caption.textContent = panel;
    figure.append(canvas, caption);
    panels.append(figure);
  }
  item.append(document.createElement('h3'), panels);
  return item;
}

function showImage(item, sheet, i, picture) {
  const image = sheet.images[i];
  const name = `image ${i + 1}${image.label < 0 ? '' : ` (label ${image.label})`}`;
  item.firstElementChild.textContent = `${name[0].toUpperCase()}${name.slice(1)}  ·  loss ${loss(image.loss)}`;
  const descriptions = describe(sheet, image, name);
  item.querySelectorAll('canvas').forEach((canvas, column) => {
    canvas.setAttribute('aria-label', descriptions[column]);
    const pen = canvas.getContext('2d');
    const cell = sheet.size + sheet.gap;
    pen.clearRect(0, 0, sheet.size, sheet.size);
    pen.drawImage(picture, column * cell, i * cell, sheet.size, sheet.size, 0, 0, sheet.size, sheet.size);
  });
  item.querySelectorAll('figcaption')[1].textContent = `shown, ${image.shown} of ${image.losses.length}`;
}

/** What the panels say, for those who do not see them. */
function describe(sheet, image, name) {
  const patches = image.losses.length;
  const worst = image.losses.reduce((most, value, patch) => (value !== null && value > (image.losses[most] ?? -1) ? patch : most), -1);
  const where = worst < 0 ? '' : `; the highest is ${loss(image.losses[worst])} in row ${Math.floor(worst / sheet.grid) + 1},`
    + ` column ${worst % sheet.grid + 1} of ${sheet.grid}`;
  return [
    `${name} as it is`,
    `the ${image.shown} of ${patches} patches of ${name} that the model was shown`,
    `what the model predicts of the other ${patches - image.shown} patches of ${name}, with a loss of ${loss(image.loss)}`,
    `loss of each of these patches of ${name}${where}`,
  ];
}

slider.addEventListener('input', () => showStep().catch(failure => note(failure.message)));

// What a user may do to the run. There only where the server allows it: on its own machine.

const LEVELS = ['error', 'warn', 'info', 'debug', 'trace'];
const EVERY_NODE = 'every node';

function element(tag, properties, ...children) {
  const node = Object.assign(document.createElement(tag), properties);
  node.append(...children);
  return node;
}

export class Actions {
  #box;
  #available = false;
  #status = null;
  #paused = false;
  #pause = this.#button('actions-pause', 'Pause', () => this.#ask(this.#paused ? 'resume' : 'pause'));
  #node = element('select', { id: 'actions-node' }, new Option(EVERY_NODE, ''));
  #drain = this.#button('actions-drain', 'Drain …', () => this.#confirmDrain());
  #level = element('select', { id: 'actions-level' }, ...LEVELS.map(level => new Option(level)));
  #answer = element('p', { id: 'actions-answer', className: 'answer' });

  /** @param box an empty, hidden details element */
  constructor(box) {
    this.#box = box;
    this.#level.value = 'info';
    this.#answer.setAttribute('role', 'status');
    this.#node.addEventListener('change', () => this.#nodeChosen());
    box.append(
      element('summary', {}, 'Actions'),
      element('div', { className: 'panel' },
        element('div', { className: 'row' }, this.#pause,
          this.#button('actions-checkpoint', 'Checkpoint now', () => this.#ask('checkpoint')),
          this.#button('actions-probe', 'Probe now', () => this.#ask('probe'))),
        element('div', { className: 'row' }, element('label', { htmlFor: 'actions-node' }, 'Node'), this.#node, this.#drain),
        element('div', { className: 'row' }, element('label', { htmlFor: 'actions-level' }, 'Log level'), this.#level,
          this.#button('actions-log', 'Set', () => this.#ask('log-level', { node: this.#node.value, level: this.#level.value }))),
        this.#answer));
    box.addEventListener('keydown', event => {
      if (event.key !== 'Escape' || !box.open) return;
      box.open = false;
      box.querySelector('summary').focus();
    });
    this.#nodeChosen();
    this.#look();
  }

  /** Follows the run. */
  show(status) {
    this.#status = status;
    this.#box.hidden = !this.#available || !['waiting', 'training', 'paused'].includes(status.state);
    this.#paused = status.state === 'paused';
    this.#pause.textContent = this.#paused ? 'Resume' : 'Pause';
    const names = status.nodes.filter(node => node.state === 'up').map(node => node.node).sort();
    const shown = [...this.#node.options].slice(1).map(option => option.value);
    // An open list is not touched without need.
    if (names.join('\n') === shown.join('\n')) return;
    const chosen = this.#node.value;
    this.#node.replaceChildren(new Option(EVERY_NODE, ''), ...names.map(name => new Option(name, name)));
    this.#node.value = names.includes(chosen) ? chosen : '';
    this.#nodeChosen();
  }

  /** Nobody is there to ask. */
  lost() {
    this.#box.hidden = true;
  }

  #button(id, text, onClick) {
    const button = element('button', { id, type: 'button', textContent: text });
    button.addEventListener('click', onClick);
    return button;
  }

  #nodeChosen() {
    this.#drain.disabled = this.#node.value === '';
    this.#drain.title = this.#drain.disabled ? 'choose a node first' : '';
  }

  #confirmDrain() {
    const node = this.#node.value;
    if (window.confirm(`Drain ${node}? Its trainers leave at the next step boundary, then its process ends.`)) {
      this.#ask('drain', { node });
    }
  }

  async #look() {
    try {
      this.#available = (await (await fetch('api/actions')).json()).available;
    } catch {
      this.#available = false;
    }
    // Of a run that rests nothing new may come for long.
    if (this.#status) this.show(this.#status);
  }

  async #ask(action, about = {}) {
    this.#answer.textContent = '…';
    try {
      const response = await fetch('api/actions', {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', 'X-Rasterflow-Action': '1' },
        body: JSON.stringify({ action, ...about }),
      });
      const text = await response.text();
      this.#answer.textContent = text.startsWith('{') ? JSON.parse(text).line : text.trim();
    } catch {
      this.#answer.textContent = 'the page does not answer; try again';
    }
  }
}

// Single keys for what buttons do, and a list of them.

export class Keys {
  constructor(dialog, list, opener) {
    this.dialog = dialog;
    this.list = list;
    this.actions = new Map();
    opener.addEventListener("click", () => dialog.showModal());
    this.add("?", "this list", () => dialog.showModal());
    addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey || dialog.open) return;
      if (event.target.closest?.("select, textarea, input:not([type=range]):not([type=checkbox])")) return;
      const action = this.actions.get(event.key.toLowerCase());
      if (!action) return;
      event.preventDefault();
      action();
    });
  }

  add(key, meaning, action) {
    this.actions.set(key, action);
    this.tell(key.toUpperCase(), meaning);
  }

  tell(key, meaning) {
    const term = document.createElement("dt");
    const cap = document.createElement("kbd");
    cap.textContent = key;
    term.append(cap);
    const description = document.createElement("dd");
    description.textContent = meaning;
    this.list.append(term, description);
  }
}

// Tabs as assistive technology expects them: arrows move between them, and one panel is seen. The address remembers which.

export function tabs(list, shown) {
  const all = [...list.querySelectorAll("[role=tab]")];
  const name = tab => tab.id.replace("tab-", "");
  const choose = (tab, focus = false) => {
    for (const each of all) {
      const chosen = each === tab;
      each.setAttribute("aria-selected", chosen);
      each.tabIndex = chosen ? 0 : -1;
      document.getElementById(each.getAttribute("aria-controls")).hidden = !chosen;
    }
    if (focus) tab.focus();
    history.replaceState(null, "", `#${name(tab)}`);
    shown(name(tab));
  };
  for (const [k, tab] of all.entries()) {
    tab.addEventListener("click", () => choose(tab));
    tab.addEventListener("keydown", event => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (step) choose(all[(k + step + all.length) % all.length], true);
    });
  }
  choose(all.find(tab => `#${name(tab)}` === location.hash) ?? all[0]);
  return wanted => choose(all.find(tab => name(tab) === wanted), true);
}

"use strict";
(() => {
  const at = (id) => document.getElementById(id);
  for (const tool of document.querySelectorAll(".scripted")) tool.hidden = false;  // what works by script alone

  // -- what is wider than the page can be scrolled by keyboard -----------------------------------------------------
  const wide = new ResizeObserver((entries) => {
    for (const { target } of entries) {
      if (target.scrollWidth > target.clientWidth) target.tabIndex = 0;
      else target.removeAttribute("tabindex");
    }
  });
  for (const box of document.querySelectorAll(".scroll")) wide.observe(box);

  // -- the heat over the images ----------------------------------------------------------------------------------
  at("opacity")?.addEventListener("input", (event) => {
    document.documentElement.style.setProperty("--heat", Number(event.target.value) / 100);
  });

  // -- what a mark of a figure stands for ------------------------------------------------------------------------
  const tip = at("tip");
  document.addEventListener("pointermove", (event) => {
    const mark = event.target.closest?.(".drawing .mark [data-tip]");
    const words = mark?.dataset.tip;
    tip.hidden = !words;
    if (!words) return;
    tip.textContent = words;
    const left = Math.min(event.clientX + 14, window.innerWidth - tip.offsetWidth - 8);
    tip.style.left = `${left}px`;
    tip.style.top = `${event.clientY + 16}px`;
  });

  // -- where the reader is ---------------------------------------------------------------------------------------
  const links = new Map([...document.querySelectorAll(".contents a")].map((a) => [a.hash.slice(1), a]));
  const watcher = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      if (!entry.isIntersecting) continue;
      for (const a of links.values()) a.removeAttribute("aria-current");
      const link = links.get(entry.target.id);
      link.setAttribute("aria-current", "true");
      const bar = link.closest("ol");
      if (bar.scrollWidth > bar.clientWidth) bar.scrollTo({ left: link.offsetLeft - 40, behavior: "smooth" });
    }
  }, { rootMargin: "-15% 0px -75% 0px" });
  for (const name of links.keys()) if (at(name)) watcher.observe(at(name));
})();

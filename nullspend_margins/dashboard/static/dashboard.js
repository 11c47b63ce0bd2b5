// What pages do beyond plain HTML. Everything works without it, only less comfortably.
(() => {
  "use strict";

  // A second click must not send a change twice.
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.method !== "post" || event.defaultPrevented) return;
    if (form.dataset.sent) {
      event.preventDefault();
      return;
    }
    form.dataset.sent = "yes";
    form.setAttribute("aria-busy", "true");
  });

  // A page that nobody looks at asks for nothing.
  document.addEventListener("htmx:beforeRequest", (event) => {
    if (document.hidden && event.target.matches("[data-poll]")) event.preventDefault();
  });

  // Whoever does not see a table change shall know that it is about to.
  const busy = (event, is) => event.detail.target?.setAttribute("aria-busy", is);
  document.addEventListener("htmx:beforeRequest", (event) => busy(event, "true"));
  document.addEventListener("htmx:afterRequest", (event) => busy(event, "false"));

  // What is announced is put there once, not as often as it is asked for.
  document.addEventListener("htmx:oobBeforeSwap", (event) => {
    const { target, fragment } = event.detail;
    const isAnnounced = target.matches("[aria-live], [role=status], [role=alert]");
    if (isAnnounced && target.textContent === fragment.textContent) event.detail.shouldSwap = false;
  });

  // A page that says why there is none (signed out, say, or the host's own sign-in) has no part to
  // put in: it is shown whole. Where a part that asks again by itself fails for a while, what is
  // there stays.
  document.addEventListener("htmx:beforeSwap", (event) => {
    const { xhr, requestConfig, pathInfo, target } = event.detail;
    if (requestConfig.verb !== "get") return;
    if (xhr.status < 400 && (!target.id || xhr.responseText.includes(`id="${target.id}"`))) return;
    event.preventDefault();
    if (xhr.status >= 429 && event.target.matches("[data-poll]")) return;
    location.assign(pathInfo.finalRequestPath);
  });

  // No answer at all: what is seen is not what was asked for, and that is said.
  for (const name of ["htmx:sendError", "htmx:timeout"]) {
    document.addEventListener(name, (event) => {
      if (event.target.matches("[data-poll]") || document.getElementById("unanswered")) return;
      const told = document.createElement("div");
      told.id = "unanswered";
      told.className = "banner";
      told.dataset.kind = "bad";
      told.setAttribute("role", "alert");
      told.textContent = "There was no answer. What you see may be old: try again.";
      document.getElementById("main").prepend(told);
    });
  }
  document.addEventListener("htmx:afterSwap", () => document.getElementById("unanswered")?.remove());

  // Back to a page that the browser kept: its forms may be sent again, and its month is the one that
  // it shows, not the one that led away from it.
  window.addEventListener("pageshow", () => {
    document.getElementById("period-form")?.reset();
    for (const form of document.querySelectorAll("form[data-sent]")) {
      delete form.dataset.sent;
      form.removeAttribute("aria-busy");
    }
  });
})();

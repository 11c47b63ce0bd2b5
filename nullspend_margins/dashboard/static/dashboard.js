// What pages do beyond plain HTML. Everything works without it, only less comfortably.
(() => {
  "use strict";

  // A choice that is a form of its own is sent at once; its button is for those without scripts.
  document.addEventListener("change", (event) => {
    const form = event.target.closest("form[data-submit-on-change]");
    if (form) form.requestSubmit();
  });

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
    if (target.textContent === fragment.textContent) event.detail.shouldSwap = false;
  });

  // A page that says why there is none (signed out, say) has no part to put in: it is shown whole.
  // Where a part that asks again by itself fails for a while, what is there stays.
  document.addEventListener("htmx:beforeSwap", (event) => {
    const { xhr, requestConfig, pathInfo } = event.detail;
    if (xhr.status < 400 || requestConfig.verb !== "get") return;
    event.preventDefault();
    if (xhr.status >= 429 && event.target.matches("[data-poll]")) return;
    location.assign(pathInfo.finalRequestPath);
  });

  // Back to a page that the browser kept: its forms may be sent again.
  window.addEventListener("pageshow", () => {
    for (const form of document.querySelectorAll("form[data-sent]")) {
      delete form.dataset.sent;
      form.removeAttribute("aria-busy");
    }
  });
})();

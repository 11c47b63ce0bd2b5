"""What people who try to run a script in somebody else's page put into their names."""

from __future__ import annotations

ATTACKS = (
    "<script>window.__xss=1</script>",
    '"><script>window.__xss=2</script>',
    "'><img src=x onerror=window.__xss=3>",
    '"><svg/onload=window.__xss=4>',
    '" autofocus onfocus="window.__xss=5" x="',
    "' autofocus onfocus='window.__xss=6' x='",
    "` onmouseover=window.__xss=7 x=",
    "javascript:window.__xss=8",
    "</title><script>window.__xss=9</script>",
    "</textarea></option></select><script>window.__xss=10</script>",
    "</style></script><script>window.__xss=11</script>",
    "--><img src=x onerror=window.__xss=12>",
    '<iframe srcdoc="<script>parent.__xss=13</script>"></iframe>',
    "<a href=javascript:window.__xss=14>press</a>",
    "<form action=//evil.example><button formaction=javascript:window.__xss=15>",
    "<base href=//evil.example/>",
    '<meta http-equiv=refresh content="0;url=//evil.example">',
    "<link rel=stylesheet href=//evil.example/x.css><img src=//evil.example/x.png>",
    '<div hx-get=/margins/connect hx-trigger=load hx-on::load="window.__xss=16">',
    "<math><mtext><form><mglyph><style></math><img src onerror=window.__xss=17>",
    "{{7*7}}{% debug %}${7*7}<%=7*7%>#{7*7}",
    "&lt;script&gt;window.__xss=18&lt;/script&gt;",
    "%3Cscript%3Ewindow.__xss=19%3C/script%3E",
    "\\u003cscript\\u003ewindow.__xss=20\\u003c/script\\u003e",
    "<details open ontoggle=window.__xss=21><style>*{display:none}</style>",
    '<!--<img src="--><img src=x onerror=window.__xss=22//">',
)

FOUND = """() => {
  const found = [];
  if (window.__xss !== undefined) found.push(`script ${window.__xss} ran`);
  const planted = "iframe, base, object, embed, math, meta[http-equiv], body style, body script";
  const schemes = ["http:", "https:", "data:", "mailto:"];
  for (const each of document.querySelectorAll("*")) {
    const told = each.outerHTML.slice(0, 160);
    for (const {name, value} of each.attributes) {
      if (name.startsWith("on") || name.startsWith("hx-on") || name === "srcdoc") found.push(told);
      if (["href", "src", "action", "formaction", "hx-get", "hx-post"].includes(name)) {
        const url = new URL(value, location.href);
        if (!schemes.includes(url.protocol)) found.push(told);
        if (url.hostname === "evil.example") found.push(told);
      }
    }
    if (each.matches(planted)) found.push(told);
  }
  return found;
}"""
"""Everything in a page that only an attack can have put there."""

HARMLESS = ("{{", "&lt;", "%3C", "\\u003c", "` ")
"""Beginnings of those that HTML itself makes nothing of: for what decodes, or runs, twice."""

PLANT = """(attack) => {
  const place = document.querySelector("main");
  place.insertAdjacentHTML("beforeend", attack);
  place.insertAdjacentHTML("beforeend", `<input value="${attack}">`);
  place.insertAdjacentHTML("beforeend", `<input value='${attack}'>`);
  place.insertAdjacentHTML("beforeend", `<a href="${attack}">x</a>`);
}"""
"""Shows an attack without escaping it."""

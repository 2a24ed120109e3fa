
"use strict";
(() => {
  const byId = (id) => document.getElementById(id);
  const contents = document.querySelector(".contents");
  const wide = matchMedia("(min-width: 60rem)");
  const fit = () => { contents.open = wide.matches; };
  wide.addEventListener("change", fit);
  fit();

  byId("filter").addEventListener("input", (event) => {
    const wanted = event.target.value.trim().toLowerCase();
    for (const item of document.querySelectorAll("[data-filter]")) {
      item.hidden = !item.dataset.filter.includes(wanted);
    }
  });

  // Not randomUUID: it is missing where the page is not served over TLS or from this machine.
  const freshKey = () => {
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    return "docs-" + Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  };
  for (const field of document.querySelectorAll("[data-key]")) field.value = freshKey();

  document.addEventListener("click", (event) => {
    if (!event.target.matches("[data-fresh]")) return;
    event.target.closest("form").querySelector("[data-key]").value = freshKey();
  });

  const address = (form) => {
    let path = form.dataset.path;
    const query = new URLSearchParams();
    for (const field of form.querySelectorAll("[data-in]")) {
      const value = field.value.trim();
      if (field.dataset.in === "path") {
        path = path.replace("{" + field.name + "}", encodeURIComponent(value));
      } else if (field.dataset.in === "query" && value !== "") {
        query.set(field.name, value);
      }
    }
    const text = query.toString();
    return text === "" ? path : path + "?" + text;
  };

  const headers = (form, body) => {
    const all = new Headers();
    const key = byId("key").value.trim();
    if (key !== "") all.set("Authorization", "Bearer " + key);
    const area = form.querySelector("textarea");
    if (body !== undefined) all.set("Content-Type", area.dataset.media);
    for (const field of form.querySelectorAll("[data-in=header]")) {
      const value = field.value.trim();
      if (value !== "") all.set(field.name, value);
    }
    return all;
  };

  const told = async (response) => {
    const text = await response.text();
    try {
      return JSON.stringify(JSON.parse(text), null, 2);
    } catch {
      return text;
    }
  };

  const shown = ["retry-after", "etag", "location", "idempotent-replayed", "request-id"];

  document.addEventListener("submit", async (event) => {
    const form = event.target;
    event.preventDefault();
    const output = form.querySelector("output");
    const area = form.querySelector("textarea");
    const body = area === null ? undefined : area.value;
    const button = form.querySelector("button[type=submit]");
    const pre = document.createElement("pre");
    button.disabled = true;
    output.replaceChildren("Sending…");
    try {
      const method = form.dataset.method;
      const response = await fetch(address(form), { method, body, headers: headers(form, body) });
      const lines = [response.status + " " + response.statusText];
      for (const name of shown) {
        if (response.headers.has(name)) lines.push(name + ": " + response.headers.get(name));
      }
      pre.textContent = lines.join("\n") + "\n\n" + await told(response);
    } catch (fault) {
      pre.textContent = "No answer came: " + fault.message + ". Is the service still running?";
    }
    button.disabled = false;
    pre.tabIndex = 0;
    output.replaceChildren(pre);
  });
})();

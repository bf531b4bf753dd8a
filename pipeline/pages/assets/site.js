// The behaviour of all pages: the switch of environments, and the search. Without this script, every page shows everything.
"use strict";

const STORED = "carbon-connect-environment";

// Storage can be disabled, for files in particular: the choice then lasts for the page.
function stored(value) {
  try {
    if (value !== undefined) sessionStorage.setItem(STORED, value);
    return sessionStorage.getItem(STORED);
  } catch {
    return null;
  }
}

function showEnvironment(name) {
  document.documentElement.dataset.selected = name;
  for (const element of document.querySelectorAll("[data-environment]")) {
    element.hidden = !element.dataset.environment.split(" ").includes(name);
  }
  for (const field of document.querySelectorAll("[data-search]")) filter(field);
  document.dispatchEvent(new CustomEvent("environment", { detail: name }));
}

// A row matches if it contains every word. The rows of other environments stay hidden by their own attribute.
function filter(field) {
  const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
  const area = document.getElementById(field.dataset.search);
  let found = 0;
  for (const row of area.querySelectorAll("[data-row]")) {
    const text = (row.dataset.text ??= row.textContent.toLowerCase());
    const matches = words.every((word) => text.includes(word));
    row.classList.toggle("filtered", !matches);
    if (matches && !row.hidden && !row.closest("[hidden]")) found += 1;
  }
  for (const group of area.querySelectorAll("[data-group]")) {
    group.classList.toggle("filtered", !group.querySelector("[data-row]:not(.filtered):not([hidden])"));
  }
  const status = document.getElementById(field.getAttribute("aria-describedby"));
  status.textContent = words.length ? (found ? `${found} found` : "Nothing found") : "";
}

// A link to a row clears the search that hides it.
function showTarget() {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (!target) return;
  for (const field of document.querySelectorAll("[data-search]")) {
    if (target.closest(".filtered")) {
      field.value = "";
      filter(field);
    }
  }
  for (let part = target; part; part = part.parentElement) {
    if (part instanceof HTMLDetailsElement) part.open = true;
  }
  target.scrollIntoView({ block: "center" });
}

// The drawing: what its lines show, and the lines of the box that has the focus or the pointer.
function startPictures() {
  const pictures = [...document.querySelectorAll("[data-picture]")];
  for (const input of document.querySelectorAll("[data-toggle]")) {
    const name = input.dataset.toggle;
    const apply = () => {
      for (const picture of pictures) {
        if (name === "differences") picture.classList.toggle("differences", input.checked);
        else picture.classList.toggle(`hide-${name}`, !input.checked);
      }
    };
    input.addEventListener("change", apply);
    apply();
  }
  for (const picture of pictures) {
    const near = (event) => {
      const leaves = event.type === "pointerleave" || event.type === "focusout";
      const name = leaves ? undefined : event.target.closest("[data-box]")?.dataset.box;
      picture.classList.toggle("focused", Boolean(name));
      for (const line of picture.querySelectorAll(".flow")) {
        line.classList.toggle("near", name === line.dataset.from || name === line.dataset.to);
      }
    };
    picture.addEventListener("pointerover", near);
    picture.addEventListener("focusin", near);
    picture.addEventListener("pointerleave", near);
    picture.addEventListener("focusout", near);
  }
}

function start() {
  const switches = [...document.querySelectorAll("[data-switch] input")];
  if (switches.length) {
    const named = new URLSearchParams(location.search).get("environment") ?? stored();
    const wanted = switches.find((input) => input.value === named) ?? switches[0];
    wanted.checked = true;
    for (const input of switches) {
      input.addEventListener("change", () => {
        stored(input.value);
        showEnvironment(input.value);
      });
    }
    showEnvironment(wanted.value);
  }
  startPictures();
  const fields = [...document.querySelectorAll("[data-search]")];
  for (const field of fields) {
    // A link can ask for a search.
    if (field === fields[0]) field.value = new URLSearchParams(location.search).get("search") ?? field.value;
    field.addEventListener("input", () => filter(field));
    field.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      field.value = "";
      filter(field);
    });
  }
  for (const field of fields) filter(field);
  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest("input:not([type=radio]):not([type=checkbox]), textarea, select");
    if (event.key !== "/" || typing || event.ctrlKey || event.metaKey || event.altKey || !fields.length) return;
    event.preventDefault();
    fields[0].focus();
  });
  addEventListener("hashchange", showTarget);
  if (location.hash) showTarget();
}

start();

// The page Cost: compute the charges again when the reader changes the assumed use. Without this script, the defaults stay.
"use strict";

const form = document.querySelector("[data-assumptions]");
const data = JSON.parse(document.getElementById("cost-data").textContent);
const inUsd = new Intl.NumberFormat("en-US", { minimumFractionDigits: 2, maximumFractionDigits: 2 });

// An empty or negative field counts as no use.
function assumed(without) {
  const found = {};
  for (const input of form.querySelectorAll("input")) {
    const value = Math.max(0, Math.min(Number(input.value) || 0, Number(input.max || Infinity)));
    found[input.name] = without && input.name !== form.dataset.kept ? 0 : value;
  }
  return found;
}

// A charge is a price, a least quantity, and the terms of the quantity: a number and the names of assumptions.
function usd([price, least, terms], values) {
  let quantity = 0;
  for (const [number, ...names] of terms) {
    quantity += names.reduce((product, name) => product * values[name], number);
  }
  return price * Math.max(quantity, least);
}

function sum(charges, values) {
  return charges.reduce((total, id) => total + usd(data.charges[id], values), 0);
}

function compute() {
  const values = assumed(false);
  const idle = assumed(true);
  for (const cell of document.querySelectorAll("[data-charge]")) {
    cell.textContent = inUsd.format(usd(data.charges[cell.dataset.charge], values));
  }
  for (const [environment, charges] of Object.entries(data.environments)) {
    for (const output of document.querySelectorAll(`[data-total="${environment}"]`)) {
      output.textContent = inUsd.format(sum(charges, values));
    }
    for (const output of document.querySelectorAll(`[data-idle="${environment}"]`)) {
      output.textContent = inUsd.format(sum(charges, idle));
    }
  }
}

form.addEventListener("input", compute);
form.addEventListener("submit", (event) => event.preventDefault());
form.addEventListener("reset", () => setTimeout(compute));

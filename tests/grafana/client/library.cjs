// How Grafana's Prometheus library is loaded without a browser: a document, and nothing to draw with.
"use strict";

const Module = require("node:module");
const { JSDOM } = require("jsdom");
const { overrides } = require("./package.json");

// What only draws is not installed (package.json puts an empty package there), or not published.
const DRAWS = new Set([...Object.keys(overrides), "@grafana/assistant"]);

const nothing = new Proxy(function () {}, {
  get: (target, key) => {
    switch (key) {
      case "__esModule":
        return true;
      case "prototype":
        return target.prototype;
      case Symbol.toPrimitive:
        return () => "";
      default:
        return nothing;
    }
  },
  apply: () => nothing,
  construct: () => nothing,
});

function packageOf(name) {
  return name.split("/").slice(0, name.startsWith("@") ? 2 : 1).join("/");
}

const load = Module._load;
Module._load = function (name, ...rest) {
  return DRAWS.has(packageOf(name)) ? nothing : load.call(this, name, ...rest);
};

const { window } = new JSDOM("", { url: "http://grafana.test/" });
for (const name of ["document", "Element", "HTMLElement", "localStorage", "Node"]) {
  globalThis[name] = window[name];
}
window.grafanaBootData = { settings: {}, user: {} };
globalThis.window = window;

module.exports = {
  data: require("@grafana/data"),
  prometheus: require("@grafana/prometheus"),
  runtime: require("@grafana/runtime"),
};

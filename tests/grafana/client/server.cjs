// Grafana's server between its browser code and a data source: what it sends on, and what it makes of the answers.
"use strict";

const { data } = require("./library.cjs");
const { exemplarFrames, framesOf } = require("./frames.cjs");

const { rangeUtil } = data;

// The statuses whose body the server reads; of any other it shows the beginning.
const READ = (status) => (status >= 200 && status < 300) || [400, 422, 503].includes(status);
const SHOWN = 1024;
const SAFE_POINTS = 11000;
// Which headers of the browser reach the data source.
const PASSED = /^x-(dashboard|panel|datasource|query-group|cache|grafana-from)/i;

class Server {
  constructor(url, settings) {
    this.url = url;
    this.settings = settings;
    this.exchanges = [];
  }

  // What the server answers to one request of the browser: status and JSON.
  async answer({ method, url, params, data: body, headers = {} }) {
    const path = url.split("?")[0];
    if (path === "/api/ds/query") {
      return { status: 200, data: { results: await this.#results(body, headers) } };
    }
    if (path.endsWith("/health")) {
      return { status: 200, data: await this.#health() };
    }
    const resource = path.match(/^\/api\/datasources\/uid\/[^/]+\/resources\/(.*)$/)[1];
    return this.#resource(method, resource, method === "GET" ? params : body);
  }

  // The same as bytes, cut where no letter ends: the server passes on what comes.
  async pieces(request) {
    const path = request.url.match(/^api\/datasources\/uid\/[^/]+\/resources\/(.*)$/)[1];
    const { status, body } = await this.#ask("GET", path, new URLSearchParams(pairs(request.params)));
    const bytes = new TextEncoder().encode(body);
    const middle = bytes.length >> 1;
    return { status, pieces: [bytes.slice(0, middle), bytes.slice(middle)] };
  }

  async #resource(method, path, params) {
    const form = new URLSearchParams(pairs(params));
    const answer = method === "GET" ? await this.#ask("GET", path, form) : await this.#ask("POST", path, null, form);
    return { status: answer.status, data: parsed(answer.body) };
  }

  async #health() {
    const sum = await this.#ask("POST", "api/v1/query", null, new URLSearchParams({ query: "1+1", time: "4" }));
    if (sum.status !== 200) {
      return { status: "ERROR", message: `${sum.status} - There was an error returned querying the Prometheus API.` };
    }
    const build = await this.#ask("GET", "api/v1/status/buildinfo");
    const features = parsed(build.body)?.data?.features;
    return { status: "OK", message: "Successfully queried the Prometheus API.", details: { application: features ? "Mimir" : "Prometheus" } };
  }

  async #results({ queries, from, to }, headers) {
    const results = {};
    await Promise.all(
      queries.map(async (query) => {
        results[query.refId] = await this.#result(query, Number(from), Number(to), headers);
      }),
    );
    return results;
  }

  async #result(query, from, to, headers) {
    const step = this.#step(query, from, to);
    const expr = this.#interpolated(query.expr, step, from, to);
    const asked = { expr, legend: query.legendFormat, shown: `Expr: ${expr}\nStep: ${step / 1000}s` };
    try {
      const parts = await Promise.all(this.#asks(query, expr, step, from, to).map((ask) => ask(headers, asked)));
      return { status: 200, frames: parts.flat().map((frame) => withRef(frame, query.refId)) };
    } catch (error) {
      return { status: error.status ?? 500, error: error.message };
    }
  }

  // What one target asks: over its range, at its end, for its exemplars.
  #asks(query, expr, step, from, to) {
    const offset = (query.utcOffsetSec ?? 0) * 1000;
    const aligned = (time) => (Math.floor((time + offset) / step) * step - offset) / 1000;
    const span = { query: expr, start: String(aligned(from)), end: String(aligned(to)) };
    const asks = [];
    if (query.instant) {
      asks.push((headers, asked) => this.#query("query", { query: expr, time: String(to / 1000) }, headers, asked));
    }
    if (query.range || !query.instant) {
      asks.push((headers, asked) => this.#query("query_range", { ...span, step: String(step / 1000) }, headers, asked));
    }
    if (query.exemplar) {
      asks.push((headers) => this.#exemplars(span, headers));
    }
    return asks;
  }

  async #query(path, parameters, headers, asked) {
    const { queryTimeout, queryStatsEnabled } = this.settings;
    const form = queryTimeout ? { ...parameters, timeout: queryTimeout } : parameters;
    const url = new URLSearchParams(this.settings.customQueryParameters ?? "");
    if (queryStatsEnabled) {
      url.set("stats", "all");
    }
    const body = await this.#posted(path, form, headers, url);
    return framesOf(body, asked);
  }

  async #exemplars(span, headers) {
    return exemplarFrames(await this.#posted("query_exemplars", span, headers, new URLSearchParams()));
  }

  async #posted(path, form, headers, url) {
    const inUrl = this.settings.httpMethod === "GET";
    const all = new URLSearchParams([...url, ...(inUrl ? pairs(form) : [])]);
    const answer = inUrl
      ? await this.#ask("GET", `api/v1/${path}`, all, null, headers)
      : await this.#ask("POST", `api/v1/${path}`, all, new URLSearchParams(pairs(form)), headers);
    if (!READ(answer.status)) {
      throw new Error(`unexpected response with status code ${answer.status}: ${answer.body.slice(0, SHOWN)}`);
    }
    const body = JSON.parse(answer.body);
    if (body.status === "error") {
      throw Object.assign(new Error(`${body.errorType}: ${body.error}`), { status: answer.status });
    }
    return body;
  }

  async #ask(method, path, query, form, headers = {}) {
    const target = `/${path}${query && String(query) ? `?${query}` : ""}`;
    const sent = Object.fromEntries(Object.entries(headers).filter(([name]) => PASSED.test(name)));
    sent["User-Agent"] = "Grafana/13.2.3";
    const response = await fetch(this.url + target, { method, headers: sent, body: form ?? undefined });
    const body = await response.text();
    this.exchanges.push({ method, target, form: form ? String(form) : null, headers: sent, status: response.status, type: response.headers.get("content-type"), body });
    return { status: response.status, body };
  }

  // The step in ms: at least the least one, and wide enough for the panel and for Prometheus.
  #step(query, from, to) {
    const interval = query.intervalMs || rangeUtil.intervalToMs(this.settings.timeInterval);
    const wanted = query.interval === "$__rate_interval" ? this.#rateInterval(interval) : query.interval;
    const least = wanted ? (typeof wanted === "number" ? wanted : rangeUtil.intervalToMs(wanted)) : interval;
    const fitting = (to - from) / (query.maxDataPoints || 100);
    const step = fitting < least ? least : rangeUtil.roundInterval(fitting);
    return Math.max(step, rangeUtil.roundInterval((to - from) / SAFE_POINTS)) * (query.intervalFactor || 1);
  }

  #rateInterval(step) {
    const scrape = rangeUtil.intervalToMs(this.settings.timeInterval);
    return Math.max(step + scrape, 4 * scrape);
  }

  #interpolated(expr, step, from, to) {
    const range = to - from;
    const values = {
      __interval: rangeUtil.secondsToHms(Math.floor(step / 1000)) || `${step}ms`,
      __interval_ms: String(step),
      __rate_interval: goDuration(this.#rateInterval(step)),
      __range: `${Math.round(range / 1000)}s`,
      __range_s: String(Math.round(range / 1000)),
      __range_ms: String(range),
    };
    return expr.replace(/\$(?:\{(\w+)\}|(\w+))/g, (text, braced, bare) => values[braced ?? bare] ?? text);
  }
}

function pairs(params = {}) {
  return Object.entries(params)
    .filter(([, value]) => value !== undefined)
    .flatMap(([name, value]) => [value].flat().map((one) => [name, String(one)]))
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function withRef(frame, refId) {
  return { ...frame, schema: { ...frame.schema, refId } };
}

// As Go prints a duration of whole seconds: 1m0s, 1h0m0s.
function goDuration(milliseconds) {
  const seconds = Math.round(milliseconds / 1000);
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  return h ? `${h}h${m}m${s}s` : m ? `${m}m${s}s` : `${s}s`;
}

module.exports = { Server };

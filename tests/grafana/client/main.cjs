// Grafana at a prompt: one command a line in, one answer a line out, both JSON. `node main.cjs URL`.
"use strict";

const readline = require("node:readline");
const { data, prometheus, runtime } = require("./library.cjs");
const { Observable, lastValueFrom, from } = require("rxjs");
const { Server } = require("./server.cjs");

const { dateTime } = data;
const URL = process.argv[2];
const REFERENCE = { uid: "bridge", type: "prometheus" };

let server;
let source;
let variables = [];

// What the library asks its host for.
runtime.setBackendSrv({ fetch: (request) => from(fetched(request)), chunked: (request) => from(chunked(request)) });
runtime.setTemplateSrv({
  replace,
  getVariables: () => variables,
  containsTemplate: (text) => replace(text) !== text,
  updateTimeRange: () => {},
});
const settingsOf = () => source.instanceSettings;
runtime.setDataSourceSrv({ get: async () => source, getList: () => [settingsOf()], getInstanceSettings: settingsOf });
runtime.setDataSourceInstanceSettingsProvider?.(settingsOf);

async function fetched(request) {
  const answer = await server.answer(request);
  if (answer.status >= 400) {
    throw { status: answer.status, statusText: String(answer.status), data: answer.data, config: request };
  }
  return { ...answer, ok: true, headers: new Headers(), config: request };
}

// An answer as it arrives: its bytes in pieces, the last without any.
async function* chunked(request) {
  const { status, pieces } = await server.pieces(request);
  const head = { ok: status < 300, status, statusText: String(status) };
  for (const data of pieces) {
    yield { ...head, data };
  }
  yield { ...head, data: undefined };
}

// What the editor offers for a word: by a search where there is one, else by a regular expression.
async function found({ range, term, label, match }) {
  const provider = source.languageProvider;
  const client = provider.getSearchApiClient();
  if (client) {
    try {
      const searched = label
        ? await client.searchLabelValues(rangeOf(range), label, term, { limit: 1000, match })
        : await client.searchMetricNames(rangeOf(range), term, { limit: 1000, match });
      return { ...searched, results: searched.results.map((one) => one.name ?? one.value) };
    } catch (error) {
      if (error.name !== "SearchApiUnavailableError") {
        throw error;
      }
    }
  }
  const name = label ?? "__name__";
  const narrowed = match ? match.replace("}", `,${name}=~".*${term}.*"}`) : `{${name}=~".*${term}.*"}`;
  return { results: await provider.queryLabelValues(rangeOf(range), name, narrowed, 1000) };
}

function replace(text, scoped = {}, format = (value) => String(value)) {
  return (text ?? "").replace(/\$(?:\{(\w+)\}|(\w+))/g, (whole, braced, bare) => {
    const name = braced ?? bare;
    if (name in scoped) {
      return scoped[name].value;
    }
    const variable = variables.find((one) => one.name === name);
    return variable ? format(variable.value, variable) : whole;
  });
}

function rangeOf([start, end]) {
  return { from: dateTime(start), to: dateTime(end), raw: { from: "now-1h", to: "now" } };
}

function request(asked) {
  const range = rangeOf(asked.range);
  return {
    app: "dashboard",
    interval: `${asked.intervalMs / 1000}s`,
    maxDataPoints: 800,
    timezone: "browser",
    scopedVars: {},
    ...asked,
    range,
    rangeRaw: range.raw,
    targets: asked.targets.map((target) => ({ datasource: REFERENCE, ...target })),
  };
}

function plain(frame) {
  const { refId, name, meta = {} } = frame;
  const fields = frame.fields.map((field) => ({
    name: field.name,
    shown: field.config?.displayNameFromDS,
    labels: field.labels,
    values: [...field.values].map((value) => (Number.isFinite(value) || typeof value !== "number" ? value : String(value))),
  }));
  return { refId, name, fields, notices: meta.notices ?? [], topic: meta.dataTopic, stats: meta.custom?.stats };
}

const COMMANDS = {
  async open({ settings = {}, values = {} }) {
    const jsonData = { httpMethod: "POST", timeInterval: "15s", prometheusType: "Prometheus", prometheusVersion: "3.14.0", ...settings };
    server = new Server(URL, jsonData);
    variables = Object.entries(values).map(([name, value]) => ({ name, value, multi: Array.isArray(value) }));
    source = new prometheus.PrometheusDatasource({ ...REFERENCE, id: 1, name: "Bridge", access: "proxy", meta: { id: "prometheus" }, url: "", jsonData });
  },
  test: () => source.testDatasource(),
  async explore() {
    await source.init();
    return { exemplars: source.exemplarsAvailable, rules: source.ruleMappings };
  },
  async editor({ range }) {
    const provider = source.languageProvider;
    await provider.start(rangeOf(range));
    return {
      metrics: provider.retrieveMetrics(),
      histograms: provider.retrieveHistogramMetrics(),
      labels: provider.retrieveLabelKeys(),
      metadata: provider.retrieveMetricsMetadata(),
    };
  },
  offered: found,
  async variable({ query, range }) {
    const found = source.variables.query({ targets: [{ query, refId: "A" }], range: rangeOf(range), scopedVars: {} });
    return (await lastValueFrom(found)).data.map((one) => one.text);
  },
  async keys({ range, filters = [], queries = [] }) {
    return (await source.getTagKeys({ timeRange: rangeOf(range), filters, queries })).map((one) => one.text);
  },
  async values({ range, key, filters = [], queries = [] }) {
    return (await source.getTagValues({ timeRange: rangeOf(range), key, filters, queries })).map((one) => one.text);
  },
  async query({ request: asked }) {
    const answer = await lastValueFrom(source.query(request(asked)));
    return { frames: answer.data.map(plain), errors: (answer.errors ?? []).map((one) => one.message) };
  },
  async annotations({ annotation, request: asked }) {
    const { target, ...rest } = source.annotations.prepareAnnotation(annotation);
    const answer = await lastValueFrom(source.query(request({ ...asked, targets: [{ range: true, ...target }] })));
    const events = source.annotations.processEvents(rest, answer.data);
    return lastValueFrom(events ?? new Observable(), { defaultValue: [] });
  },
};

async function answered(line) {
  const { command, ...given } = JSON.parse(line);
  let said;
  try {
    said = { result: (await COMMANDS[command](given)) ?? null };
  } catch (error) {
    said = { error: error.data?.error ?? error.message ?? String(error) };
  }
  return { ...said, exchanges: server.exchanges.splice(0) };
}

// The library's own remarks are no answers.
console.log = console.info = console.error;

async function main() {
  for await (const line of readline.createInterface({ input: process.stdin })) {
    process.stdout.write(`${JSON.stringify(await answered(line))}\n`);
  }
}

main();

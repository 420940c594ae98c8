// What Grafana's server makes of a Prometheus answer: data frames in their JSON form.
"use strict";

const TIME = { name: "Time", type: "time", typeInfo: { frame: "time.Time" }, config: {} };

// The frames of one answered query; `asked` tells which query that was.
function framesOf(answer, asked) {
  const { resultType, result } = answer.data;
  const notices = noticesOf(answer);
  const meta = { custom: { resultType }, executedQueryString: asked.shown };
  if (notices.length) {
    meta.notices = notices;
  }
  if (answer.data.stats) {
    meta.custom.stats = answer.data.stats;
  }
  switch (resultType) {
    case "matrix":
      return orEmpty(result.map((series) => seriesFrame(series.metric, series.values ?? [], asked, meta)), meta);
    case "vector":
      return orEmpty(result.map((sample) => seriesFrame(sample.metric, [sample.value], asked, meta)), meta);
    case "scalar":
      return [seriesFrame({}, [result], asked, meta)];
    default:
      throw new Error(`unknown result type: ${resultType}`);
  }
}

// All exemplars of an answer as one table: time, value, and a column for each label.
function exemplarFrames(answer) {
  const rows = answer.data.flatMap(({ seriesLabels, exemplars }) =>
    exemplars.map((one) => ({ time: one.timestamp * 1000, value: one.value, labels: { ...seriesLabels, ...one.labels } })),
  );
  const names = [...new Set(rows.flatMap((row) => Object.keys(row.labels)))];
  const fields = [TIME, numbers({}), ...names.map((name) => ({ name, type: "string", typeInfo: { frame: "string" } }))];
  const columns = [rows.map((row) => row.time), rows.map((row) => Number(row.value))];
  columns.push(...names.map((name) => rows.map((row) => row.labels[name] ?? "")));
  return rows.length ? [{ schema: { meta: { custom: { resultType: "exemplar" } }, fields }, data: { values: columns } }] : [];
}

function noticesOf({ warnings = [], infos = [] }) {
  const said = (severity) => (text) => ({ severity, text });
  return [...warnings.map(said("warning")), ...infos.map(said("info"))];
}

function orEmpty(frames, meta) {
  return frames.length ? frames : [{ schema: { meta, fields: [] }, data: { values: [] } }];
}

function seriesFrame(labels, points, asked, meta) {
  const value = { ...numbers(labels), config: { displayNameFromDS: nameOf(labels, asked) } };
  const times = points.map(([time]) => Math.trunc(time * 1000));
  const entities = { NaN: [], Inf: [], NegInf: [] };
  const values = points.map(([, text], at) => numberOf(text, at, entities));
  return {
    schema: { meta, fields: [TIME, value] },
    data: { values: [times, values], entities: [null, entities] },
  };
}

function numbers(labels) {
  return { name: labels.__name__ ?? "Value", type: "number", typeInfo: { frame: "float64" }, labels, config: {} };
}

// JSON has no words for some numbers: they are null, and told beside.
function numberOf(text, at, entities) {
  const kind = { NaN: "NaN", "+Inf": "Inf", "-Inf": "NegInf" }[text];
  if (kind === undefined) {
    return Number(text);
  }
  entities[kind].push(at);
  return null;
}

function nameOf(labels, { legend, expr }) {
  if (legend && legend !== "__auto") {
    return legend.replace(/\{\{\s*(.+?)\s*\}\}/g, (_, name) => labels[name] ?? "");
  }
  const { __name__: name = "", ...others } = labels;
  const pairs = Object.entries(others).map(([key, value]) => `${key}="${value}"`);
  return pairs.length ? `${name}{${pairs.join(", ")}}` : name || expr;
}

module.exports = { exemplarFrames, framesOf };

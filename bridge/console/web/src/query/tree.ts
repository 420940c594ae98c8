/** A parsed query's nodes as lines of text, and the nodes below each. */

import { formatDuration } from "../time";

/** A node as `parse_query` answers it. */
export interface Node {
  type: string;
  [field: string]: unknown;
}

interface Matcher {
  name: string;
  type: string;
  value: string;
}

interface Matching {
  card: string;
  labels: string[];
  on: boolean;
  include: string[];
}

/** What a node is, in words, and its own part of the query. */
export function described(node: Node): [string, string] {
  switch (node.type) {
    case "aggregation":
      return ["aggregation", `${node.op}${grouping(node)}`];
    case "binaryExpr":
      return ["operator", `${node.op}${node.bool ? " bool" : ""}${matching(node.matching)}`];
    case "call":
      return ["function", `${(node.func as { name: string }).name}()`];
    case "matrixSelector":
      return ["range selector", `${selector(node)}[${span(node.range)}]${times(node)}`];
    case "vectorSelector":
      return ["selector", selector(node) + times(node)];
    case "subquery":
      return [
        "subquery",
        `[${span(node.range)}:${node.step ? span(node.step) : ""}]${times(node)}`,
      ];
    case "numberLiteral":
      return ["number", String(node.val)];
    case "stringLiteral":
      return ["string", JSON.stringify(node.val)];
    case "unaryExpr":
      return ["sign", String(node.op)];
    default:
      return ["parentheses", "( )"];
  }
}

/** The nodes below, in the order of the query. */
export function below(node: Node): Node[] {
  const { param, expr, lhs, rhs, args } = node;
  return [param, expr, lhs, rhs, ...((args as unknown[]) ?? [])].filter(isNode);
}

function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null && "type" in value;
}

function grouping({ grouping, without }: Node): string {
  const labels = (grouping as string[]).join(", ");
  if (without) return ` without (${labels})`;
  return labels ? ` by (${labels})` : "";
}

function matching(value: unknown): string {
  if (!value) return "";
  const { card, labels, on, include } = value as Matching;
  const only = on || labels.length > 0 ? ` ${on ? "on" : "ignoring"} (${labels.join(", ")})` : "";
  const sides: Record<string, string> = {
    "many-to-one": "group_left",
    "one-to-many": "group_right",
  };
  const group = sides[card];
  return group ? `${only} ${group} (${include.join(", ")})` : only;
}

function selector({ name, matchers }: Node): string {
  const shown = (matchers as Matcher[]).filter((one) => one.name !== "__name__" || !name);
  const pairs = shown.map((one) => `${one.name}${one.type}${JSON.stringify(one.value)}`);
  return (name as string) + (pairs.length > 0 || !name ? `{${pairs.join(", ")}}` : "");
}

function times({ offset, timestamp, startOrEnd }: Node): string {
  const at = startOrEnd ? ` @ ${startOrEnd}()` : timestamp ? ` @ ${Number(timestamp) / 1000}` : "";
  if (!offset) return at;
  const back = Number(offset);
  return `${at} offset ${back < 0 ? "-" : ""}${span(Math.abs(back))}`;
}

function span(milliseconds: unknown): string {
  return formatDuration(Number(milliseconds));
}

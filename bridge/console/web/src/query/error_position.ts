/** Where in an expression an error is, and the mark that shows it. */

import { type Extension, StateEffect, StateField, type Text } from "@codemirror/state";
import { Decoration, type DecorationSet, EditorView, WidgetType } from "@codemirror/view";

const POSITION = /(?:^|: )(\d+):(\d+): parse error/;

/** Sets the mark by an error's text; null takes it away. */
export const markError = StateEffect.define<string | null>();

/** The position a text names, as an offset; null if it names none. Columns count bytes of UTF-8. */
export function offsetOf(message: string, doc: Text): number | null {
  const found = POSITION.exec(message);
  if (!found) return null;
  const number = Number(found[1]);
  if (number < 1 || number > doc.lines) return null;
  const line = doc.line(number);
  const bytes = new TextEncoder().encode(line.text).slice(0, Number(found[2]) - 1);
  return line.from + new TextDecoder().decode(bytes).length;
}

class EndMark extends WidgetType {
  toDOM(): HTMLElement {
    const mark = document.createElement("span");
    mark.className = "error-mark error-mark-end";
    return mark;
  }
}

function marked(message: string | null, doc: Text): DecorationSet {
  const from = message === null ? null : offsetOf(message, doc);
  if (from === null) return Decoration.none;
  const rest = doc.sliceString(from, doc.lineAt(from).to);
  const length = /^[\w:.]+|^./u.exec(rest)?.[0].length ?? 0;
  const decoration = length
    ? Decoration.mark({ class: "error-mark" }).range(from, from + length)
    : Decoration.widget({ widget: new EndMark(), side: 1 }).range(from);
  return Decoration.set(decoration);
}

/** Shows the mark until the expression changes. */
export const errorMark: Extension = StateField.define<DecorationSet>({
  create: () => Decoration.none,
  update(mark, transaction) {
    for (const effect of transaction.effects) {
      if (effect.is(markError)) return marked(effect.value, transaction.state.doc);
    }
    return transaction.docChanged ? Decoration.none : mark;
  },
  provide: (field) => EditorView.decorations.from(field),
});

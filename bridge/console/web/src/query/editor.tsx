/** The expression editor: CodeMirror with Prometheus' own PromQL mode, completing from our API. */

import {
  autocompletion,
  closeBrackets,
  closeBracketsKeymap,
  completionKeymap,
} from "@codemirror/autocomplete";
import {
  defaultKeymap,
  history,
  historyKeymap,
  insertNewlineAndIndent,
} from "@codemirror/commands";
import { bracketMatching } from "@codemirror/language";
import { lintKeymap } from "@codemirror/lint";
import { EditorState, type Extension, Prec } from "@codemirror/state";
import { EditorView, keymap, placeholder } from "@codemirror/view";
import { PromQLExtension } from "@prometheus-io/codemirror-promql";
import { useEffect, useRef } from "preact/hooks";
import { BASE_URL } from "../api";
import { editorTheme } from "./editor_theme";
import { errorMark, markError } from "./error_position";

interface Props {
  /** What is to stand in the editor: another object replaces what was typed since. */
  given: { text: string };
  /** The text of an error whose position is to be marked. */
  failure: string | null;
  onChange: (value: string) => void;
  onExecute: () => void;
}

const HINT = "Expression: Enter executes, Shift-Enter breaks the line, Ctrl-Space completes";

// One for all panels: what it has learned of names is the same for each.
const promql = new PromQLExtension()
  .setComplete({ remote: { url: BASE_URL, httpMethod: "GET" } })
  .asExtension();

export function Editor({ given, failure, onChange, onExecute }: Props) {
  const place = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView | null>(null);
  const calls = useRef({ onChange, onExecute });
  calls.current = { onChange, onExecute };

  useEffect(() => {
    // In a shadow root CodeMirror adopts style sheets; elsewhere it writes <style> elements, which
    // the page's Content-Security-Policy forbids.
    const root = (place.current as HTMLDivElement).attachShadow({ mode: "open" });
    const editor = new EditorView({
      root,
      parent: root,
      state: EditorState.create({
        doc: given.text,
        extensions: extensions({
          changed: (text) => calls.current.onChange(text),
          execute: () => calls.current.onExecute(),
        }),
      }),
    });
    view.current = editor;
    return () => editor.destroy();
  }, []);

  useEffect(() => {
    const editor = view.current;
    if (!editor || editor.state.doc.toString() === given.text) return;
    editor.dispatch({ changes: { from: 0, to: editor.state.doc.length, insert: given.text } });
  }, [given]);

  useEffect(() => {
    view.current?.dispatch({ effects: markError.of(failure) });
  }, [failure]);

  return <div class="editor" ref={place} />;
}

function leave(editor: EditorView): boolean {
  editor.contentDOM.blur();
  return true;
}

interface Calls {
  changed: (text: string) => void;
  execute: () => void;
}

function extensions({ changed, execute }: Calls): Extension[] {
  const run = () => {
    execute();
    return true;
  };
  return [
    history(),
    bracketMatching(),
    closeBrackets(),
    autocompletion({ icons: false }),
    editorTheme,
    errorMark,
    EditorView.lineWrapping,
    placeholder(HINT),
    keymap.of([...closeBracketsKeymap, ...completionKeymap, ...historyKeymap, ...lintKeymap]),
    promql,
    keymap.of([
      { key: "Enter", run },
      { key: "Mod-Enter", run },
      { key: "Shift-Enter", run: insertNewlineAndIndent },
      { key: "Escape", run: leave },
    ]),
    Prec.low(keymap.of(defaultKeymap)),
    EditorView.contentAttributes.of({ "aria-label": "Expression" }),
    EditorView.updateListener.of((update) => {
      if (update.docChanged) changed(update.state.doc.toString());
    }),
  ];
}

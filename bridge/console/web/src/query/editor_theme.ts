/** How the editor looks: the page's own colours in CodeMirror's places. */

import { HighlightStyle, syntaxHighlighting } from "@codemirror/language";
import type { Extension } from "@codemirror/state";
import { EditorView } from "@codemirror/view";
import { tags } from "@lezer/highlight";

const SANS = 'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "DejaVu Sans", sans-serif';

const look = EditorView.theme({
  "&": {
    border: "1px solid var(--border-strong)",
    borderRadius: "var(--radius)",
    background: "var(--surface)",
    color: "var(--text)",
  },
  "&.cm-focused": { outline: "2px solid var(--accent)", outlineOffset: "-1px" },
  ".cm-scroller": { font: "14px / 1.6 var(--mono)" },
  ".cm-content": { padding: "6px 4px", caretColor: "var(--text)" },
  ".cm-placeholder": { color: "var(--text-quiet)", fontFamily: SANS },
  "&.cm-focused .cm-matchingBracket": {
    background: "var(--accent-soft)",
    outline: "1px solid var(--accent)",
  },
  "&.cm-focused .cm-nonmatchingBracket": { background: "var(--error-soft)" },
  ".cm-tooltip": {
    border: "1px solid var(--border)",
    borderRadius: "var(--radius)",
    background: "var(--surface)",
    boxShadow: "var(--shadow)",
    color: "var(--text)",
  },
  ".cm-tooltip.cm-tooltip-autocomplete > ul": {
    maxHeight: "20em",
    font: "13px / 1.5 var(--mono)",
  },
  ".cm-tooltip.cm-tooltip-autocomplete": { marginTop: "8px" },
  ".cm-tooltip.cm-tooltip-autocomplete > ul > li": { padding: "3px 10px" },
  ".cm-tooltip-autocomplete > ul > li[aria-selected]": {
    background: "var(--accent)",
    color: "var(--on-accent)",
  },
  ".cm-completionMatchedText": { fontWeight: "700", textDecoration: "none" },
  ".cm-completionDetail": {
    float: "right",
    marginLeft: "24px",
    color: "var(--text-quiet)",
    font: `italic 12px / 1.6 ${SANS}`,
  },
  "li[aria-selected] .cm-completionDetail": { color: "inherit" },
  ".cm-tooltip.cm-completionInfo": { padding: "8px 10px", font: `13px / 1.5 ${SANS}` },
  ".cm-diagnostic": { padding: "6px 10px", font: `13px / 1.5 ${SANS}` },
  // CodeMirror underlines with an image in a data: address, which the page does not allow.
  ".cm-lintRange-error, .cm-lintRange-warning, .cm-lintRange-info": { backgroundImage: "none" },
  ".cm-lintRange-error": { textDecoration: "underline wavy var(--error)" },
  ".cm-lintRange-warning": { textDecoration: "underline wavy var(--warning)" },
  ".cm-lintRange-info": { textDecoration: "underline wavy var(--info)" },
  ".error-mark": {
    background: "var(--error-soft)",
    textDecoration: "underline wavy var(--error)",
    textDecorationSkipInk: "none",
    textUnderlineOffset: "4px",
  },
  ".error-mark-end": {
    display: "inline-block",
    width: "0.7em",
    height: "1.2em",
    verticalAlign: "text-bottom",
    borderBottom: "3px double var(--error)",
  },
});

const colours = syntaxHighlighting(
  HighlightStyle.define([
    { tag: tags.number, color: "var(--tok-number)" },
    { tag: [tags.string, tags.special(tags.string)], color: "var(--tok-string)" },
    { tag: [tags.keyword, tags.operatorKeyword, tags.modifier], color: "var(--tok-keyword)" },
    { tag: tags.function(tags.variableName), color: "var(--tok-function)" },
    { tag: tags.labelName, color: "var(--tok-label)" },
    { tag: tags.comment, color: "var(--text-quiet)", fontStyle: "italic" },
    { tag: tags.invalid, color: "var(--error)" },
  ]),
);

export const editorTheme: Extension = [look, colours];

"""The page's looks and its one script: CSS and JavaScript, all of it served by the app itself."""

from __future__ import annotations

SANS = ("Segoe UI", "system-ui", "-apple-system", "Roboto", "Noto Sans", "Liberation Sans", "Arial")
"""System fonts with Vietnamese letters: nothing is fetched."""

# A marker leads to its card, unfolding it first, and a new answer's evidence is shown from its top.
# (Followed as a link, a marker would load the page again: it is relative to Gradio's <base>.)
SCRIPT = """
() => {
  document.addEventListener("click", (event) => {
    const link = event.target.closest && event.target.closest("a[href]");
    const match = link && /#(t\\d+-c\\d+)$/.exec(link.getAttribute("href"));
    if (!match) return;
    event.preventDefault();
    const card = document.getElementById(match[1]);
    if (!card) return;
    const turn = card.closest("details");
    if (turn) turn.open = true;
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    card.scrollIntoView({ block: "nearest", behavior: still ? "auto" : "smooth" });
    card.focus({ preventScroll: true });
  }, true);
  let newest = "";
  new MutationObserver(() => {
    const turn = document.querySelector("#qa-evidence .qa-turn");
    if (turn && turn.id !== newest) document.getElementById("qa-beside").scrollTop = 0;
    newest = turn ? turn.id : "";
  }).observe(document.body, { childList: true, subtree: true });
}
"""

CSS = """
:root {
  --qa-ink: #16222e; --qa-soft: #556371; --qa-line: #d9dfe5; --qa-paper: #ffffff;
  --qa-asked: #eef2f6; --qa-accent: #8f1d21; --qa-link: #1b4f8f;
  --qa-mark: #ffe9a6; --qa-mark-line: #d99e00;
  --qa-serif: Cambria, "Noto Serif", "Times New Roman", "Liberation Serif", serif;
}
.dark {
  --qa-ink: #e6ebf0; --qa-soft: #9fadba; --qa-line: #2e3a46; --qa-paper: #18212a;
  --qa-asked: #1f2a35; --qa-accent: #e58a83; --qa-link: #8ab8f0;
  --qa-mark: #54430f; --qa-mark-line: #e0b13a;
}
.gradio-container { max-width: 1360px !important; margin: 0 auto !important; }
:focus-visible { outline: 3px solid var(--qa-link) !important; outline-offset: 2px; }

.qa-title { border-bottom: 2px solid var(--qa-accent); padding: 0 0 12px; color: var(--qa-ink); }
.qa-title h1 { font: 700 1.7rem/1.2 var(--qa-serif); margin: 0; color: inherit; }
.qa-title p { margin: 4px 0 0; color: var(--qa-soft); font-size: .95rem; line-height: 1.45; }

/* The conversation */
#qa-page { gap: 28px; align-items: flex-start; }
#qa-talk { gap: 10px; }
.gradio-container .html-container { padding: 0; }
#qa-chat { border-radius: 6px; }
#qa-chat .placeholder-content { padding-top: 16px; }
#qa-chat .icon-button-wrapper { display: none; }
#qa-chat .message-row { padding: 0; }
#qa-chat .user-row { background: var(--qa-asked); }
#qa-chat .bot-row { background: var(--qa-paper); }
#qa-chat .flex-wrap { padding: 14px 20px; background: none; }
#qa-chat .message, #qa-chat .prose { opacity: 1; }
#qa-chat .message { background: none; border: 0; padding: 0; margin: 0; }
#qa-chat .prose, #qa-chat .prose * { color: var(--qa-ink); }
#qa-chat .prose { font-size: 1rem; line-height: 1.6; overflow-wrap: anywhere; }
#qa-chat .prose p { margin: 0 0 8px; }
#qa-chat .prose blockquote { margin: 8px 0; padding: 0 0 0 12px; font-family: var(--qa-serif);
  font-size: 1.06rem; border-left: 3px solid var(--qa-line); }
#qa-chat .prose a { color: var(--qa-link); font-weight: 600; text-decoration: none;
  white-space: nowrap; }
#qa-chat .prose a:hover { text-decoration: underline; }
#qa-question { border-radius: 6px; }
#qa-question:focus-within { outline: 2px solid var(--qa-link); outline-offset: -2px; }
#qa-question textarea { outline: 0 !important; border: 0; box-shadow: none; font-size: 1rem; }
#qa-question .submit-button { background: var(--qa-link); color: var(--qa-paper);
  font-weight: 600; }
#qa-new { align-self: flex-end; flex-grow: 0; width: auto; background: none; font-weight: 400;
  color: var(--qa-link); box-shadow: none; font-size: .86rem; }

/* The evidence */
#qa-evidence { color: var(--qa-ink); overflow-wrap: break-word; }
.qa-empty { border: 1px dashed var(--qa-line); border-radius: 6px; padding: 32px 24px;
  color: var(--qa-soft); font: 1.08rem/1.7 var(--qa-serif); text-align: center; }
.qa-empty p { margin: 0; }
.qa-turn { margin: 0 0 12px; }
.qa-turn > summary { cursor: pointer; font-weight: 600; line-height: 1.45; padding: 2px 4px;
  border-radius: 4px; }
.qa-turn:not([open]) > summary { color: var(--qa-soft); font-weight: 400; }
.qa-kind { display: flex; flex-wrap: wrap; gap: 4px 16px; align-items: center;
  margin: 8px 4px 10px; font-size: .86rem; font-weight: 600; color: var(--qa-accent); }
.qa-apart { color: var(--qa-soft); }
.qa-level { margin-left: auto; font-weight: 400; color: var(--qa-soft); display: inline-flex;
  align-items: center; gap: 8px; font-variant-numeric: tabular-nums; }
.qa-level i { width: 56px; height: 4px; border-radius: 2px; background: var(--qa-line);
  overflow: hidden; }
.qa-level b { display: block; height: 100%; background: var(--qa-soft); }
.qa-note { margin: 0 4px 12px; color: var(--qa-soft); font-size: .94rem; line-height: 1.5; }

.qa-card { background: var(--qa-paper); border: 1px solid var(--qa-line);
  border-left: 4px solid var(--qa-accent); border-radius: 6px; padding: 16px 22px 12px;
  margin: 0 3px 14px; scroll-margin: 16px; }
.qa-card:focus { outline: 3px solid var(--qa-mark-line) !important; outline-offset: 0; }
.qa-card header { display: flex; gap: 12px; align-items: baseline; }
.qa-card header p { display: flex; flex-wrap: wrap; gap: 0 14px; margin: 0; line-height: 1.5;
  color: var(--qa-soft); font-size: .94rem; }
.qa-card header strong { color: var(--qa-ink); }
.qa-marker { color: var(--qa-accent); font-weight: 700; white-space: nowrap; }
.qa-path { margin: 4px 0 0; color: var(--qa-soft); font-size: .86rem; line-height: 1.45; }
.qa-card blockquote { margin: 12px 0; color: var(--qa-ink); white-space: pre-line;
  font: 1.16rem/1.62 var(--qa-serif); }
.qa-card mark { background: var(--qa-mark); color: inherit; padding: .1em .08em;
  text-decoration: underline solid var(--qa-mark-line) 2px; text-underline-offset: .24em;
  text-decoration-skip-ink: none; -webkit-box-decoration-break: clone;
  box-decoration-break: clone; }
.qa-card details { margin: 0 0 10px; }
.qa-card details summary { cursor: pointer; color: var(--qa-link); font-size: .88rem; }
.qa-card footer { color: var(--qa-soft); font-size: .84rem; line-height: 1.5;
  border-top: 1px solid var(--qa-line); padding-top: 8px; }
.qa-card code, .qa-known code { font-family: inherit; font-style: italic;
  overflow-wrap: anywhere; }
.qa-related { border-left: 4px dotted var(--qa-line); background: transparent; }
.qa-related blockquote { color: var(--qa-soft); font-size: 1.04rem; margin: 8px 0; }

/* The releases */
.qa-known { border-top: 1px solid var(--qa-line); padding-top: 10px; color: var(--qa-ink); }
.qa-known summary { cursor: pointer; }
.qa-known h2 { display: inline; font-size: .94rem; font-weight: 600; margin: 0; color: inherit; }
.qa-known ul { list-style: none; margin: 6px 0 0; padding: 0; max-height: 260px;
  overflow-y: auto; }
.qa-known li { margin: 0 0 8px; padding: 0; font-size: .88rem; line-height: 1.5;
  color: var(--qa-soft); overflow-wrap: anywhere; }
.qa-known p { margin: 0; font-size: .88rem; line-height: 1.5; color: var(--qa-soft);
  overflow-wrap: anywhere; }
.qa-known li summary { list-style: none; border-radius: 4px; }
.qa-known li summary::-webkit-details-marker { display: none; }
.qa-known li summary > span { display: block; }
.qa-known li summary > span:first-child::after { content: " ▸"; color: var(--qa-link); }
.qa-known li details[open] > summary > span:first-child::after { content: " ▾"; }
.qa-known strong { color: var(--qa-ink); }
.qa-known dl { display: grid; grid-template-columns: minmax(0, 2fr) minmax(0, 3fr); gap: 2px 14px;
  margin: 6px 0 12px; padding: 8px 12px; background: var(--qa-asked); border-radius: 6px; }
.qa-known dt { margin: 0; }
.qa-known dd { margin: 0; color: var(--qa-ink); }
.qa-known dd i { margin-left: 6px; font-size: .82em; font-style: normal; color: var(--qa-soft); }
.qa-old { display: block; margin: 4px 0 0; font-size: .86rem; line-height: 1.45;
  font-weight: 600; color: var(--qa-accent); }

@media (min-width: 861px) {
  #qa-beside { max-height: calc(100vh - 136px); overflow-y: auto; padding-right: 8px; }
}
@media (max-width: 860px) {
  #qa-page { flex-direction: column; align-items: stretch; gap: 12px; }
  #qa-talk, #qa-beside { display: contents; }
  #qa-page > * > * { width: 100%; flex: none; }
  #qa-releases { order: 1; }
  #qa-question .submit-button { background: var(--qa-link); color: var(--qa-paper);
  font-weight: 600; }
#qa-new { align-self: flex-end; width: auto; }
  #qa-chat { height: auto !important; min-height: 0 !important; max-height: 70vh; }
  .qa-card { padding: 14px 14px 10px; }
}
"""

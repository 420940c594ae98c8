/** The console: its frame, and which page an address shows. */

import { render } from "preact";
import { useEffect, useState } from "preact/hooks";
import { QueryPage } from "./query/page";
import { CachePage } from "./status/cache";
import { CataloguePage } from "./status/catalogue";
import { ConfigurationPage } from "./status/configuration";
import { StatusPage } from "./status/status";
import { StoresPage } from "./status/stores";
import { Choice } from "./ui/choice";
import { Moon, Sun, System } from "./ui/icons";
import { applyTheme, changeSettings, useSettings } from "./ui/settings";
import "./styles/index.css";

interface Page {
  path: string;
  /** Prometheus' names of the same page. */
  aliases: string[];
  title: string;
  View: () => preact.JSX.Element;
}

const QUERY: Page = { path: "query", aliases: ["", "graph"], title: "Query", View: QueryPage };
const PAGES: readonly Page[] = [
  QUERY,
  { path: "stores", aliases: [], title: "Stores", View: StoresPage },
  { path: "cache", aliases: [], title: "Cache", View: CachePage },
  { path: "catalogue", aliases: ["tsdb-status"], title: "Catalogue", View: CataloguePage },
  { path: "config", aliases: [], title: "Configuration", View: ConfigurationPage },
  { path: "status", aliases: ["flags"], title: "Status", View: StatusPage },
];

function shownPage(): Page {
  const last = location.pathname.split("/").at(-1) ?? "";
  return PAGES.find((page) => page.path === last || page.aliases.includes(last)) ?? QUERY;
}

function Console() {
  const [page, setPage] = useState(shownPage);
  const [visit, setVisit] = useState(0);
  useEffect(() => {
    const moved = () => setPage(shownPage());
    addEventListener("popstate", moved);
    return () => removeEventListener("popstate", moved);
  }, []);
  useEffect(() => {
    document.title = page === QUERY ? "prombridge" : `${page.title} · prombridge`;
  }, [page]);

  function visitPage(event: MouseEvent, next: Page) {
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.button !== 0) return;
    event.preventDefault();
    history.pushState(null, "", next.path);
    setPage(next);
    setVisit(visit + 1);
  }

  return (
    <>
      <a class="skip" href="#content">
        Skip to the content
      </a>
      <header class="bar">
        <a class="brand" href="query" onClick={(event) => visitPage(event, QUERY)}>
          <Mark />
          prombridge
        </a>
        <nav aria-label="Pages">
          {PAGES.map((one) => (
            <a
              key={one.path}
              href={one.path}
              aria-current={one === page ? "page" : undefined}
              onClick={(event) => visitPage(event, one)}
            >
              {one.title}
            </a>
          ))}
        </nav>
        <SettingsBar />
      </header>
      <main id="content" key={visit}>
        <page.View />
      </main>
    </>
  );
}

function SettingsBar() {
  const { theme, localTime } = useSettings();
  return (
    <div class="settings">
      <Choice
        label="Time zone"
        chosen={localTime ? "local" : "utc"}
        options={[
          { value: "utc", text: "UTC" },
          { value: "local", text: "Local" },
        ]}
        onChoose={(zone) => changeSettings({ localTime: zone === "local" })}
      />
      <Choice
        label="Theme"
        chosen={theme}
        options={[
          { value: "light", text: "Light theme", icon: <Sun /> },
          { value: "dark", text: "Dark theme", icon: <Moon /> },
          { value: "system", text: "The system's theme", icon: <System /> },
        ]}
        onChoose={(theme) => changeSettings({ theme })}
      />
    </div>
  );
}

function Mark() {
  return (
    <svg class="mark" viewBox="0 0 32 32" aria-hidden="true">
      <path d="M4 22h24" />
      <path d="M6 22a10 10 0 0 1 20 0" />
      <path class="thin" d="M16 12v10M11 13.5V22M21 13.5V22" />
    </svg>
  );
}

applyTheme();
render(<Console />, document.body);

/** Build, process and flags of the bridge. */

import { count, milliseconds } from "../numbers";
import { formatMoment } from "../time";
import { useSettings } from "../ui/settings";
import { Facts, StatusAnswer } from "./page";

interface Build {
  version: string;
  revision: string;
}

interface Runtime {
  startTime: string;
  serverTime: string;
  CWD: string;
  hostname: string;
  GOMAXPROCS: number;
  goroutineCount: number;
  lastConfigTime: string;
  reloadConfigSuccess: boolean;
}

interface ActiveQuery {
  id: number;
  query: string;
  seconds: number;
  stage: string;
  client: string;
}

export function StatusPage() {
  const licenses = document.querySelector<HTMLLinkElement>("link[rel=license]")?.href ?? "";
  return (
    <>
      <StatusAnswer<Runtime> title="Status" path="runtimeinfo">
        {(runtime) => (
          <div class="card">
            <Process runtime={runtime} />
          </div>
        )}
      </StatusAnswer>
      <StatusAnswer<ActiveQuery[]> part title="Queries being answered" path="active_queries">
        {(queries) => <ActiveQueries queries={queries} />}
      </StatusAnswer>
      <StatusAnswer<Record<string, string>> part title="Flags" path="flags">
        {(flags) =>
          Object.keys(flags).length === 0 ? (
            <p class="quiet-text">None: the demo takes its settings from elsewhere.</p>
          ) : (
            <Facts facts={Object.entries(flags).map(([name, value]) => [`--${name}`, value])} />
          )
        }
      </StatusAnswer>
      <StatusAnswer<Build> part title="Build" path="buildinfo">
        {(build) => (
          <Facts
            facts={[
              ["prombridge", build.revision.replace(/^prombridge-/, "")],
              ["speaks as Prometheus", build.version],
              ["this page contains", <a href={licenses}>code of others, under these licences</a>],
            ]}
          />
        )}
      </StatusAnswer>
    </>
  );
}

function Process({ runtime }: { runtime: Runtime }) {
  const { localTime } = useSettings();
  const moment = (text: string) => formatMoment(Date.parse(text), localTime);
  return (
    <Facts
      facts={[
        ["started", moment(runtime.startTime)],
        ["its clock says", moment(runtime.serverTime)],
        [
          "configuration read",
          `${moment(runtime.lastConfigTime)}${runtime.reloadConfigSuccess ? "" : ", the last reload failed"}`,
        ],
        ["host", runtime.hostname],
        ["working folder", runtime.CWD],
        ["threads for queries", count(runtime.GOMAXPROCS)],
        ["tasks now", count(runtime.goroutineCount)],
      ]}
    />
  );
}

function ActiveQueries({ queries }: { queries: ActiveQuery[] }) {
  if (queries.length === 0) return <p class="quiet-text">None at this moment.</p>;
  return (
    <table class="plain">
      <thead>
        <tr>
          <th scope="col">Query</th>
          <th scope="col">For</th>
          <th scope="col">Stage</th>
          <th scope="col">Client</th>
        </tr>
      </thead>
      <tbody>
        {queries.map(({ id, query, seconds, stage, client }) => (
          <tr key={id}>
            <td>
              <code>{query}</code>
            </td>
            <td>{milliseconds(seconds * 1e3)}</td>
            <td>{stage}</td>
            <td>{client}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** The stores: which profile each has, whether it answers, what limits it. */

import { bytes, count, plural } from "../numbers";
import { ago } from "../time";
import { Empty } from "../ui/notice";
import { Facts, StatusAnswer } from "./page";

interface Store {
  name: string;
  url: string;
  profile: { name: string; verified: boolean; note: string };
  responseTypes: string[];
  health: "up" | "down" | "unknown";
  leftAlone: boolean;
  inFlight: number;
  reads: number;
  failures: number;
  lastRead: string | null;
  lastError: string;
  lastErrorTime: string | null;
  limits: {
    timeout: string;
    retries: number;
    maxConcurrency: number;
    maxQueryRange: string;
    splitInterval: string;
    maxSamples: number;
    maxSeries: number;
    maxResponseBytes: number;
  };
}

const HEALTH = { up: "answers", down: "does not answer", unknown: "not asked yet" };

export function StoresPage() {
  return (
    <StatusAnswer<{ stores: Store[] }>
      title="Stores"
      path="stores"
      lead="Where samples are read from. Counts are of reads since the start."
    >
      {({ stores }) =>
        stores.length === 0 ? (
          <Empty title="No store is configured" />
        ) : (
          <div class="columns">
            {stores.map((store) => (
              <StoreCard key={store.name} store={store} />
            ))}
          </div>
        )
      }
    </StatusAnswer>
  );
}

function StoreCard({ store }: { store: Store }) {
  const { profile, limits } = store;
  return (
    <section class="card">
      <div class="card-head">
        <h2>{store.name}</h2>
        <span class={`badge ${store.health}`}>
          {store.leftAlone ? "left alone for a while" : HEALTH[store.health]}
        </span>
      </div>
      <p class="address">{store.url}</p>
      {store.lastError && (
        <div class={`notice ${store.health === "down" ? "error" : "warning"}`}>
          <strong>Last error{when(store.lastErrorTime)}</strong>
          <span class="notice-text">{store.lastError}</span>
        </div>
      )}
      <Facts
        facts={[
          ["profile", `${profile.name}${profile.verified ? "" : " (by its documentation only)"}`],
          ...(profile.note ? [["known of it", profile.note] as [string, string]] : []),
          ["answers as", store.responseTypes.join(", ")],
          ["reads", `${count(store.reads)}, of which ${count(store.failures)} failed`],
          ["last read", store.lastRead ? ago(Date.parse(store.lastRead)) : "none yet"],
          ["under way", `${store.inFlight} of at most ${limits.maxConcurrency}`],
          ["longest read", limited(limits.maxQueryRange)],
          ["reads are split by", limited(limits.splitInterval)],
          ["time-out", limits.timeout],
          ["tried again", plural(limits.retries, "time")],
          ["samples a read", limits.maxSamples ? count(limits.maxSamples) : "no limit"],
          ["series a read", limits.maxSeries ? count(limits.maxSeries) : "no limit"],
          [
            "bytes an answer",
            limits.maxResponseBytes ? bytes(limits.maxResponseBytes) : "no limit",
          ],
        ]}
      />
    </section>
  );
}

function limited(duration: string): string {
  return duration === "0s" ? "no limit" : duration;
}

function when(moment: string | null): string {
  return moment ? `, ${ago(Date.parse(moment))}` : "";
}

// The client of the hub: urql over HTTP, graphql-ws for what is live, and what went wrong in words.

import {
  cacheExchange,
  Client,
  type CombinedError,
  fetchExchange,
  makeOperation,
  mapExchange,
  subscriptionExchange,
} from "@urql/core";
import { createClient, type SubscribePayload } from "graphql-ws";

declare const TRUSTED: boolean; // build.mjs

export type Live = "connecting" | "live" | "waiting";

export interface Hub {
  client: Client;
  /** Ends the WebSocket. */
  close(): void;
  /** Is told whether what is live is live; gives what stops that. */
  watch(told: (live: Live) => void): () => void;
}

export function open(token: string, onUnauthenticated: () => void): Hub {
  const watching = new Set<(live: Live) => void>();
  let now: Live = "connecting";
  const tell = (live: Live) => {
    now = live;
    watching.forEach((told) => told(live));
  };
  const live = createClient({
    url: `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/graphql`,
    connectionParams: { authorization: `Bearer ${token}` },
    retryAttempts: Infinity, // from one second up to half a minute apart, and a little of chance
    retryWait: (attempt) => sleep(Math.min(2 ** attempt, 30) * 500 * (1 + Math.random())),
    keepAlive: 20_000,
    on: {
      connecting: () => tell("connecting"),
      connected: () => tell("live"),
      closed: () => tell("waiting"),
    },
  });
  const client = new Client({
    url: "/graphql",
    preferGetMethod: false, // a GET leaves what was asked for in the logs of proxies
    fetchOptions: { headers: { authorization: `Bearer ${token}`, accept: "application/graphql-response+json" } },
    requestPolicy: "cache-and-network",
    exchanges: [
      mapExchange({
        onOperation: (operation) => (TRUSTED ? byId(operation) : operation),
        onError: (error) => isUnauthenticated(error) && onUnauthenticated(),
      }),
      cacheExchange,
      fetchExchange,
      subscriptionExchange({
        forwardSubscription: (request) => ({
          subscribe: (sink) => {
            // graphql-ws wants a text, be it an empty one where an id is sent instead
            const asked: SubscribePayload & Asked = {
              query: request.query ?? "",
              operationName: request.operationName,
              variables: { ...request.variables },
              extensions: request.extensions,
            };
            const unsubscribe = live.subscribe<Record<string, unknown>>(asked, {
              next: (result) => {
                remember(asked, result.data);
                sink.next(result as Parameters<typeof sink.next>[0]);
              },
              error: (error) => sink.error(error),
              complete: () => sink.complete(),
            });
            return { unsubscribe };
          },
        }),
      }),
    ],
  });
  return {
    client,
    close: () => void live.dispose(),
    watch: (told) => {
      told(now);
      watching.add(told);
      return () => watching.delete(told);
    },
  };
}

interface Asked {
  variables: Record<string, unknown>;
}

/** The cursor of the event goes into the variables: who connects again subscribes with them, and goes on behind it. */
function remember(asked: Asked, data: Record<string, unknown> | null | undefined): void {
  for (const told of Object.values(data ?? {})) {
    if (told !== null && typeof told === "object" && "cursor" in told) asked.variables.after = told.cursor;
  }
}

/** Sends the id of the document instead of its text. */
function byId(operation: Parameters<typeof makeOperation>[1]) {
  const { hash } = (operation.query as { __meta__?: { hash?: string } }).__meta__ ?? {};
  if (hash === undefined) throw new Error("a document without an id: it was not made by codegen");
  const extensions = { ...operation.extensions, persistedQuery: { version: 1 as const, sha256Hash: hash } };
  return makeOperation(operation.kind, { ...operation, extensions }, operation.context);
}

const sleep = (milliseconds: number) => new Promise<void>((done) => setTimeout(done, milliseconds));

function isUnauthenticated(error: CombinedError): boolean {
  const status = (error.response as Response | undefined)?.status;
  return status === 401 || error.graphQLErrors.some((each) => each.extensions.code === "UNAUTHENTICATED");
}

/** What went wrong, fit to show. The hub's own messages are; a masked one has an id that is in the hub's log. */
export function words(error: CombinedError): string {
  const [first] = error.graphQLErrors;
  if (first !== undefined) {
    const { id } = first.extensions;
    return typeof id === "string" ? `${first.message} (${id})` : first.message;
  }
  const status = (error.response as Response | undefined)?.status;
  if (status === 429) return "Too much was asked for in this minute; it works again in a moment.";
  return "The hub cannot be reached. What is shown may be old.";
}

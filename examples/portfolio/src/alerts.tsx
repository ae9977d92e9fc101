// The inbox of alerts, live. What is listed is read once, with the place in the log of events it was read at; from there on
// the subscription tells what happens. A connection that drops goes on behind the last event it told (see client.ts).

import { useMutation, useQuery, useSubscription } from "@urql/preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { Hub, Live } from "./client";
import { words } from "./client";
import {
  AlertChangesDocument,
  type AlertChangesSubscription,
  type AlertOrder,
  AlertsDocument,
  type AlertsQuery,
  AlertTakeDocument,
} from "./gql/graphql";
import { Badge, Choice, customerPath, Problem } from "./parts";
import { date, name, time } from "./shown";

type Alert = AlertsQuery["alerts"]["nodes"][number];
type Changed = ReadonlyMap<string, Alert>;

const SIZE = 50;
const ORDERS = [
  ["OPENED_AT", "newest first"],
  ["PRIORITY", "most pressing first"],
  ["DUE_ON", "due first"],
] as const satisfies readonly (readonly [AlertOrder, string])[];

export function Alerts({ hub, personal, mayAct }: { hub: Hub; personal: boolean; mayAct: boolean }) {
  const [orderBy, setOrderBy] = useState<AlertOrder>("OPENED_AT");
  return (
    <>
      <h1>Alerts</h1>
      <form class="choices" onSubmit={(event) => event.preventDefault()}>
        <Choice label="Order" value={orderBy} options={ORDERS} chosen={setOrderBy} />
        <Connection hub={hub} />
      </form>
      <Inbox key={orderBy} orderBy={orderBy} personal={personal} mayAct={mayAct} />
    </>
  );
}

function Connection({ hub }: { hub: Hub }) {
  const [live, setLive] = useState<Live>("connecting");
  useEffect(() => hub.watch(setLive), [hub]);
  const said = { connecting: "connecting…", live: "live", waiting: "not live; trying again" }[live];
  return (
    <p id="live" class={live} role="status">
      {said}
    </p>
  );
}

function Inbox({ orderBy, personal, mayAct }: { orderBy: AlertOrder; personal: boolean; mayAct: boolean }) {
  // What is live brings this list up to date; a copy from the cache would begin at an old place.
  const variables = { first: SIZE, after: null, orderBy, personal };
  const [{ data, error }, again] = useQuery({ query: AlertsDocument, variables, requestPolicy: "network-only" });
  const start = useRef<string | null>(null);
  start.current ??= data?.eventCursor ?? null;
  const [live] = useSubscription<AlertChangesSubscription, Changed, { after: string | null; personal: boolean }>(
    { query: AlertChangesDocument, variables: { after: start.current, personal }, pause: start.current === null },
    (changed = new Map(), { alertChanged: { alert } }) => (alert ? new Map(changed).set(alert.id, alert) : changed),
  );
  const alerts = merged(data?.alerts.nodes ?? [], live.data ?? new Map());
  return (
    <>
      <Problem error={error} again={() => again({ requestPolicy: "network-only" })} />
      <Problem error={live.error} />
      {data && alerts.length === 0 && <p>Nothing is open.</p>}
      <ul id="alerts" class="plain" aria-live="polite">
        {alerts.map((each) => (
          <One key={each.id} alert={each} mayAct={mayAct} />
        ))}
      </ul>
      {data?.alerts.pageInfo.hasNextPage && <p class="under">There are more than these {SIZE}.</p>}
    </>
  );
}

/** What was listed, as it is by now, under what was opened since; without what is closed. */
function merged(listed: readonly Alert[], changed: Changed): Alert[] {
  const known = new Set(listed.map((each) => each.id));
  const opened = [...changed.values()].filter((each) => !known.has(each.id)).reverse();
  return [...opened, ...listed.map((each) => changed.get(each.id) ?? each)].filter((each) => each.state !== "CLOSED");
}

function One({ alert, mayAct }: { alert: Alert; mayAct: boolean }) {
  return (
    <li class="card" data-alert={alert.title}>
      <p>
        <Badge value={alert.severity} /> <strong>{alert.title}</strong> <a href={customerPath(alert.customer.id)}>{alert.customer.name}</a>
      </p>
      {alert.reason && <p>{alert.reason}</p>}
      <p class="under">
        {name(alert.kind)}, {name(alert.state)}
        {alert.snoozed && ", snoozed"}, since {time(alert.openedAt)}
        {alert.ownerEmail && `, ${alert.ownerEmail}`}
        {alert.dueOn && `, due ${date(alert.dueOn)}`}
      </p>
      {mayAct && alert.state === "OPEN" && <Take alert={alert} />}
    </li>
  );
}

/** Takes the alert. Who gets no answer sends the same key again: the hub then does it once, and answers as it did. */
function Take({ alert }: { alert: Alert }) {
  const [{ fetching, data, error }, take] = useMutation(AlertTakeDocument);
  const key = useRef(crypto.randomUUID());
  const send = async () => {
    const done = await take({ id: alert.id, key: key.current });
    if (done.data) key.current = crypto.randomUUID(); // answered: another attempt is another request
  };
  const said = error ? words(error) : data?.alertUpdate.errors.map((each) => each.message).join(" ");
  return (
    <>
      <button type="button" disabled={fetching} onClick={send} aria-label={`Acknowledge: ${alert.title}, ${alert.customer.name}`}>
        Acknowledge
      </button>
      {said && (
        <p class="problem" role="alert">
          {said}
        </p>
      )}
    </>
  );
}

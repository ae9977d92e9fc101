// A customer 360: health with its reasons, churn risk, alerts, contacts, and everything that happened.

import { useQuery } from "@urql/preact";
import { useState } from "preact/hooks";
import { CustomerDocument, type CustomerQuery, TimelineDocument } from "./gql/graphql";
import { Badge, Problem, Section } from "./parts";
import { change, count, date, money, name, percent, points, time, yearly } from "./shown";

type Customer = NonNullable<CustomerQuery["customer"]>;

export function CustomerPage({ id, personal }: { id: string; personal: boolean }) {
  const [{ data, error }, again] = useQuery({ query: CustomerDocument, variables: { id, personal } });
  const customer = data?.customer;
  return (
    <>
      <Problem error={error} again={() => again({ requestPolicy: "network-only" })} />
      {customer === null && (
        <p class="problem" role="alert">
          There is no such customer, or this token does not see it.
        </p>
      )}
      {customer && (
        <>
          <h1>{customer.name}</h1>
          <p class="under">
            {[customer.domain, customer.segment, customer.country, `CSM ${customer.csm.name ?? customer.csm.email ?? "none"}`]
              .filter(Boolean)
              .join(" · ")}
          </p>
          <Numbers customer={customer} />
          <div class="columns">
            <Health customer={customer} />
            <Risk customer={customer} />
            <OpenAlerts customer={customer} />
            <Contacts customer={customer} personal={personal} />
          </div>
          <Section title="Timeline">
            <ol class="timeline">
              <Timeline id={id} after={null} personal={personal} />
            </ol>
          </Section>
        </>
      )}
    </>
  );
}

function Numbers({ customer }: { customer: Customer }) {
  const { facts, subscription } = customer;
  const shown = [
    ["ARR", money(yearly(facts?.mrr), subscription?.currency)],
    ["Plan", subscription?.plan ?? "–"],
    ["Renews on", date(subscription?.renewsOn)],
    ["Users in 28 days", count(facts?.mau)],
    ["Open tickets", count(facts?.ticketsOpen)],
    ["Sentiment of the CSM", customer.sentiment ? points(customer.sentiment.value) : "–"],
  ] as const;
  return (
    <dl class="numbers card">
      {shown.map(([what, value]) => (
        <div key={what}>
          <dt>{what}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

function Health({ customer: { health } }: { customer: Customer }) {
  return (
    <Section title="Health">
      {health == null ? (
        <p>There is no scorecard yet.</p>
      ) : (
        <>
          <p class="big">
            {points(health.score)} <Badge value={health.band} /> <small>{change(health.change30d)}</small>
          </p>
          {health.reason && <p>{health.reason}</p>}
          <p class="under">
            as of {date(health.asOf)}, {percent(health.coverage)} of it backed by live data
          </p>
          <ul class="readings">
            {[...health.readings]
              .sort((one, other) => lost(other) - lost(one))
              .map((each) => (
                <li key={each.measure}>
                  <span>{name(each.measure)}</span>
                  <meter min={0} max={1} low={0.3} high={0.7} optimum={1} value={each.value ?? 0} aria-label={name(each.measure)} />
                  <span class="number">{points(each.value)}</span>
                  <small>{each.reason ?? (each.missing ? `no data: ${name(each.missing)}` : "")}</small>
                </li>
              ))}
          </ul>
        </>
      )}
    </Section>
  );
}

/** How much of the score a reading costs. */
function lost(reading: { value?: number | null; weight?: number | null }): number {
  return reading.value == null ? 0 : (1 - reading.value) * (reading.weight ?? 0);
}

function Risk({ customer: { churnRisk } }: { customer: Customer }) {
  return (
    <Section title="Churn risk">
      {churnRisk == null ? (
        <p>There is no prediction yet.</p>
      ) : (
        <>
          <p class="big">
            {percent(churnRisk.probability)} <Badge value={churnRisk.band} />
          </p>
          <p class="under">
            within {churnRisk.horizon}; {percent(churnRisk.annualised)} within a year. Confidence: {churnRisk.confidence}
          </p>
          <ul class="reasons">
            {churnRisk.reasons.map((each) => (
              <li key={each.code} class={(each.effect ?? 0) > 0 ? "worse" : "better"}>
                {each.text} <small>{(each.effect ?? 0) > 0 ? "raises it" : "lowers it"}</small>
              </li>
            ))}
          </ul>
        </>
      )}
    </Section>
  );
}

function OpenAlerts({ customer }: { customer: Customer }) {
  return (
    <Section title="Open alerts">
      {customer.alerts.nodes.length === 0 && <p>None.</p>}
      <ul class="plain">
        {customer.alerts.nodes.map((each) => (
          <li key={each.id}>
            <Badge value={each.severity} /> <strong>{each.title}</strong>
            {each.reason && <p>{each.reason}</p>}
            <small>
              {name(each.state)}, since {time(each.openedAt)}
              {each.ownerEmail && `, ${each.ownerEmail}`}
              {each.dueOn && `, due ${date(each.dueOn)}`}
            </small>
          </li>
        ))}
      </ul>
    </Section>
  );
}

function Contacts({ customer, personal }: { customer: Customer; personal: boolean }) {
  return (
    <Section title="Contacts">
      {!personal && <p>This token does not see personal data.</p>}
      {customer.contacts?.nodes.length === 0 && <p>None are known.</p>}
      <ul class="plain" id="contacts">
        {customer.contacts?.nodes.map((each) => (
          <li key={each.id}>
            <strong>{each.name ?? each.email ?? "–"}</strong> {each.name && each.email && <a href={`mailto:${each.email}`}>{each.email}</a>}
            <small>
              {[each.title, each.role && name(each.role), each.lastSeenAt && `last seen ${time(each.lastSeenAt)}`].filter(Boolean).join(" · ")}
            </small>
          </li>
        ))}
      </ul>
    </Section>
  );
}

/** A page of it, and the one after it when it is asked for. */
function Timeline({ id, after, personal }: { id: string; after: string | null; personal: boolean }) {
  const [more, setMore] = useState(false);
  const [{ data, error }, again] = useQuery({ query: TimelineDocument, variables: { id, after, personal } });
  const found = data?.customer?.timeline;
  const end = found?.pageInfo.endCursor;
  return (
    <>
      {error && (
        <li>
          <Problem error={error} again={() => again({ requestPolicy: "network-only" })} />
        </li>
      )}
      {found?.nodes.map((each) => (
        <li key={each.id}>
          <time dateTime={each.at}>{time(each.at)}</time>
          <div>
            {each.title} {each.actor && <small>by {each.actor}</small>}
            {each.text && <p class="said">{each.text}</p>}
          </div>
        </li>
      ))}
      {found?.pageInfo.hasNextPage && end && !more && (
        <li>
          <button type="button" onClick={() => setMore(true)}>
            Earlier
          </button>
        </li>
      )}
      {more && end && <Timeline id={id} after={end} personal={personal} />}
    </>
  );
}

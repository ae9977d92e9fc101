// The portfolio: groups of the whole, and its customers a page at a time, chosen and ordered by the hub.

import { useQuery } from "@urql/preact";
import { useState } from "preact/hooks";
import {
  type Band,
  type CustomerFilter,
  type CustomerGroupBy,
  type CustomerOrder,
  PortfolioDocument,
  PortfolioGroupsDocument,
} from "./gql/graphql";
import { Badge, Choice, customerPath, Problem } from "./parts";
import { change, count, money, name, percent, points, yearly } from "./shown";

const SIZE = 25;
const BANDS = [
  ["", "all"],
  ["CRITICAL", "critical"],
  ["WARNING", "warning"],
  ["STABLE", "stable"],
  ["HEALTHY", "healthy"],
] as const satisfies readonly (readonly [Band | "", string])[];
const ORDERS = {
  arr: { field: "MRR", direction: "DESC" },
  risk: { field: "CHURN_ANNUALISED", direction: "DESC" },
  health: { field: "HEALTH", direction: "ASC" },
  renewal: { field: "DAYS_TO_RENEWAL", direction: "ASC" },
  name: { field: "NAME", direction: "ASC" },
} as const satisfies Record<string, CustomerOrder>;
const ORDER_NAMES = [
  ["arr", "most revenue"],
  ["risk", "highest churn risk"],
  ["health", "lowest health"],
  ["renewal", "next renewal"],
  ["name", "name"],
] as const satisfies readonly (readonly [keyof typeof ORDERS, string])[];
const GROUPS = [
  ["BAND", "band"],
  ["SEGMENT", "segment"],
  ["CSM", "CSM"],
  ["PLAN", "plan"],
] as const satisfies readonly (readonly [CustomerGroupBy, string])[];

export function Portfolio() {
  const [band, setBand] = useState<Band | "">("");
  const [search, setSearch] = useState("");
  const [order, setOrder] = useState<keyof typeof ORDERS>("arr");
  const [by, setBy] = useState<CustomerGroupBy>("BAND");
  const [cursors, setCursors] = useState<readonly string[]>([]); // of the pages before this one
  const first = <T,>(set: (value: T) => void) => (value: T) => {
    set(value);
    setCursors([]); // a cursor belongs to one filter and one order
  };
  const searched: CustomerFilter | null = search ? { search } : null; // null: all; a filter says at least one thing
  const filter: CustomerFilter | null = band ? { ...searched, band: { eq: band } } : searched;
  return (
    <>
      <h1>Portfolio</h1>
      <Groups by={by} setBy={setBy} filter={searched} band={band} setBand={first(setBand)} />
      <form class="choices" role="search" onSubmit={(event) => event.preventDefault()}>
        <Choice label="Band" value={band} options={BANDS} chosen={first(setBand)} />
        <Choice label="Order" value={order} options={ORDER_NAMES} chosen={first(setOrder)} />
        <label>
          Name or domain
          <input type="search" value={search} onChange={(event) => first(setSearch)(event.currentTarget.value.trim())} />
        </label>
      </form>
      <Customers filter={filter} orderBy={ORDERS[order]} cursors={cursors} setCursors={setCursors} />
    </>
  );
}

function Groups(given: {
  by: CustomerGroupBy;
  setBy: (by: CustomerGroupBy) => void;
  filter: CustomerFilter | null;
  band: Band | "";
  setBand: (band: Band | "") => void;
}) {
  const { by, filter, band, setBand } = given;
  const [{ data, error }, again] = useQuery({ query: PortfolioGroupsDocument, variables: { by: [by], filter } });
  return (
    <section aria-label="Groups">
      <form class="choices" onSubmit={(event) => event.preventDefault()}>
        <Choice label="Group by" value={by} options={GROUPS} chosen={given.setBy} />
      </form>
      <Problem error={error} again={() => again({ requestPolicy: "network-only" })} />
      <ul class="groups">
        {data?.customerGroups.map((group) => {
          const value = group.keys[0]?.value ?? null;
          const chosen = BANDS.find(([each]) => by === "BAND" && each !== "" && each === value?.toUpperCase())?.[0];
          const inside = (
            <>
              <span class="what">{by === "BAND" ? <Badge value={value} /> : (value ?? "none")}</span>
              <strong>{count(group.count)}</strong>
              <span>{group.revenue.map((each) => money(each.arr, each.currency)).join(", ") || "no revenue"}</span>
              <span>health {points(group.health.average)}</span>
            </>
          );
          return (
            <li key={value}>
              {chosen ? (
                <button type="button" class="card" aria-pressed={band === chosen} onClick={() => setBand(band === chosen ? "" : chosen)}>
                  {inside}
                </button>
              ) : (
                <div class="card">{inside}</div>
              )}
            </li>
          );
        })}
      </ul>
    </section>
  );
}

function Customers(given: {
  filter: CustomerFilter | null;
  orderBy: CustomerOrder;
  cursors: readonly string[];
  setCursors: (cursors: readonly string[]) => void;
}) {
  const { filter, orderBy, cursors, setCursors } = given;
  const variables = { first: SIZE, after: cursors.at(-1) ?? null, filter, orderBy };
  const [{ data, error, fetching }, again] = useQuery({ query: PortfolioDocument, variables });
  const found = data?.customers;
  const end = found?.pageInfo.endCursor;
  return (
    <section aria-label="Customers" aria-busy={fetching}>
      <Problem error={error} again={() => again({ requestPolicy: "network-only" })} />
      {found && (
        <>
          <div class="scrolls card">
            <table id="customers">
              <caption>{found.totalCount === 1 ? "1 customer" : `${count(found.totalCount)} customers`}</caption>
              <thead>
                <tr>
                  <th scope="col">Customer</th>
                  <th scope="col">Health</th>
                  <th scope="col">Churn risk, a year</th>
                  <th scope="col" class="number">ARR</th>
                  <th scope="col" class="number">Renews in</th>
                  <th scope="col">CSM</th>
                </tr>
              </thead>
              <tbody>
                {found.nodes.map((each) => (
                  <tr key={each.id}>
                    <th scope="row">
                      <a href={customerPath(each.id)}>{each.name}</a>
                      <small>{[each.segment && name(each.segment), each.subscription?.plan].filter(Boolean).join(" · ")}</small>
                    </th>
                    <td>
                      <Badge value={each.health?.band} /> {points(each.health?.score)} <small>{change(each.health?.change30d)}</small>
                    </td>
                    <td>
                      <Badge value={each.churnRisk?.band} /> {percent(each.churnRisk?.annualised)}
                    </td>
                    <td class="number">{money(yearly(each.facts?.mrr), each.subscription?.currency)}</td>
                    <td class="number">{each.facts?.daysToRenewal == null ? "–" : `${count(each.facts.daysToRenewal)} days`}</td>
                    <td>{each.csm.name ?? each.csm.email ?? "–"}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
          <nav class="pages" aria-label="Pages of customers">
            <button type="button" disabled={cursors.length === 0} onClick={() => setCursors(cursors.slice(0, -1))}>
              Previous
            </button>
            <span>page {cursors.length + 1}</span>
            <button type="button" disabled={!found.pageInfo.hasNextPage || !end} onClick={() => end && setCursors([...cursors, end])}>
              Next
            </button>
          </nav>
        </>
      )}
    </section>
  );
}

// The page: a token first, then a portfolio, a customer, or the inbox, as the address behind # says.

import { Provider, useQuery } from "@urql/preact";
import { render } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { Alerts } from "./alerts";
import { type Hub, open } from "./client";
import { CustomerPage } from "./customer";
import { ViewerDocument, type ViewerQuery } from "./gql/graphql";
import { Problem } from "./parts";
import { Portfolio } from "./portfolio";
import { name } from "./shown";

const KEY = "cshub-token"; // kept until the tab is closed

function Page() {
  const [hub, setHub] = useState<Hub | null>(null);
  const [refused, setRefused] = useState(false);
  const leave = (why: "left" | "refused") => {
    sessionStorage.removeItem(KEY);
    setRefused(why === "refused");
    setHub((old) => (old?.close(), null)); // what one token saw is forgotten before another one is given
  };
  const enter = (token: string) => {
    sessionStorage.setItem(KEY, token);
    setRefused(false);
    setHub(open(token, () => leave("refused")));
  };
  useEffect(() => {
    const kept = sessionStorage.getItem(KEY);
    if (kept !== null) enter(kept);
  }, []);
  if (hub === null) return <Entry refused={refused} enter={enter} />;
  return (
    <Provider value={hub.client}>
      <Inside hub={hub} leave={() => leave("left")} />
    </Provider>
  );
}

function Entry({ refused, enter }: { refused: boolean; enter: (token: string) => void }) {
  const input = useRef<HTMLInputElement>(null);
  return (
    <main class="entry card">
      <h1>Portfolio</h1>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          const token = input.current?.value.trim();
          if (token) enter(token);
        }}
      >
        <label>
          Your token
          <input ref={input} name="token" type="password" autocomplete="off" spellcheck={false} required placeholder="cshub_…" />
        </label>
        {refused && (
          <p class="problem" role="alert">
            The hub does not take this token: it is mistyped, expired or revoked.
          </p>
        )}
        <button type="submit">Open</button>
      </form>
    </main>
  );
}

function usePath(): string {
  const [path, setPath] = useState(location.hash.slice(1));
  useEffect(() => {
    const moved = () => {
      setPath(location.hash.slice(1));
      scrollTo(0, 0);
    };
    addEventListener("hashchange", moved);
    return () => removeEventListener("hashchange", moved);
  }, []);
  return path;
}

function Inside({ hub, leave }: { hub: Hub; leave: () => void }) {
  const path = usePath();
  const [{ data, error }, again] = useQuery({ query: ViewerDocument });
  const at = (wanted: string) => (path.startsWith(wanted) ? "page" : undefined);
  return (
    <>
      <header>
        <nav aria-label="Pages">
          <a href="#/" aria-current={at("/alerts") || at("/customers") ? undefined : "page"}>
            Portfolio
          </a>
          <a href="#/alerts" aria-current={at("/alerts")}>
            Alerts
          </a>
        </nav>
        {data && (
          <p class="viewer">
            {data.viewer.name}, {name(data.viewer.role)}
            {data.viewer.book && <>, customers of {data.viewer.book}</>}
          </p>
        )}
        <button type="button" class="plain" onClick={leave}>
          Leave
        </button>
      </header>
      <main>
        <Problem error={error} again={() => again({ requestPolicy: "network-only" })} />
        {data && <Shown path={path} hub={hub} viewer={data.viewer} />}
      </main>
    </>
  );
}

function Shown({ path, hub, viewer }: { path: string; hub: Hub; viewer: ViewerQuery["viewer"] }) {
  const personal = viewer.scopes.includes("PERSONAL");
  const [, noun, id] = path.split("/");
  if (noun === "customers" && id) return <CustomerPage key={id} id={decodeURIComponent(id)} personal={personal} />;
  if (noun === "alerts") return <Alerts hub={hub} personal={personal} mayAct={viewer.scopes.includes("ACT")} />;
  return <Portfolio />;
}

render(<Page />, document.body);

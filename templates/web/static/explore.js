// Puts GraphiQL on the page. The token stays in this tab (sessionStorage) and goes out as a Bearer header, nowhere else.
"use strict";
(() => {
  const settings = JSON.parse(document.getElementById("settings").textContent);
  const field = document.getElementById("token");
  const state = document.getElementById("state");
  const place = document.getElementById("explore");
  const KEY = "cshub.token";
  let token = sessionStorage.getItem(KEY) || settings.demoToken || "";
  field.value = token;

  async function fetcher(params) {
    const response = await fetch("/graphql", {
      method: "POST",
      headers: { "Content-Type": "application/json", Accept: "application/json", Authorization: `Bearer ${token}` },
      credentials: "omit",
      body: JSON.stringify(params),
    });
    return response.json();
  }

  const ADMIN = "ADMIN";

  // Who the token is of, once it is known that it is good for this page; null otherwise, and `state` says why.
  async function who() {
    if (!token) {
      state.textContent = "a token is needed: cshub token create";
      return null;
    }
    const body = await fetcher({ query: "{ viewer { name role } }" });
    const viewer = body.data && body.data.viewer;
    if (!viewer) {
      state.textContent = (body.errors && body.errors[0].message) || "no answer";
      return null;
    }
    if (settings.explorer === "admins" && viewer.role !== ADMIN) {
      state.textContent = `${viewer.name} is no admin, and this page is for admins (hub.yaml: graphql.graphiql)`;
      return null;
    }
    state.textContent = `${viewer.name} (${viewer.role.toLowerCase()})`;
    return viewer;
  }

  async function render() {
    const asked = token;
    const viewer = await who();
    if (asked !== token) return; // another one was entered meanwhile
    const mayIntrospect =
      settings.introspection === "all" || (settings.introspection === "admins" && viewer && viewer.role === ADMIN);
    ReactDOM.render(
      React.createElement(GraphiQL, {
        key: token, // another token sees the schema anew
        fetcher: viewer ? fetcher : async () => ({ errors: [{ message: state.textContent }] }),
        schema: viewer && mayIntrospect ? undefined : null, // who may not introspect is not made to try
        defaultTabs: settings.tabs,
        defaultQuery: settings.tabs[0].query,
        shouldPersistHeaders: false,
      }),
      place,
    );
  }

  function use() {
    token = field.value.trim();
    sessionStorage.setItem(KEY, token);
    render();
  }

  document.getElementById("use").addEventListener("click", use);
  field.addEventListener("keydown", (event) => {
    if (event.key === "Enter") use();
  });
  render();
})();

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

  async function who() {
    if (!token) {
      state.textContent = "a token is needed: cshub token create";
      return;
    }
    const body = await fetcher({ query: "{ viewer { name role } }" });
    const viewer = body.data && body.data.viewer;
    state.textContent = viewer
      ? `${viewer.name} (${viewer.role.toLowerCase()})`
      : (body.errors && body.errors[0].message) || "no answer";
  }

  function render() {
    ReactDOM.render(
      React.createElement(GraphiQL, {
        key: token, // another token sees the schema anew
        fetcher,
        schema: token ? undefined : null, // without a token there is no introspection to try
        defaultTabs: settings.tabs,
        defaultQuery: settings.tabs[0].query,
        shouldPersistHeaders: false,
      }),
      place,
    );
    who();
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

// Sends the dashboard's documents to /graphql, as any frontend would; the session's cookie says who asks.

let documents;

/** The texts of templates/web/dashboard/actions, by name. */
async function texts() {
  documents ??= fetch("/dashboard/actions.json").then((answer) => answer.json());
  return documents;
}

export class Refused extends Error {
  /** @param {{message: string, field?: string, code?: string}[]} errors */
  constructor(errors) {
    super(errors.map((each) => each.message).join("\n"));
    this.errors = errors;
  }
}

export const HEADERS = {
  "content-type": "application/json",
  "graphql-require-preflight": "1", // no other site can send this without asking first
};

/** The document of that name, ready to be sent. */
export async function request(name, variables) {
  const query = (await texts())[name];
  if (!query) throw new Refused([{ message: `there is no document ${name}` }]);
  return { query, variables };
}

/** Ask, and return `data`; Refused with the API's errors otherwise. */
export async function run(name, variables = {}, { signal } = {}) {
  let answer;
  try {
    answer = await fetch("/graphql", {
      method: "POST",
      headers: { ...HEADERS, accept: "application/json" },
      body: JSON.stringify(await request(name, variables)),
      signal,
    });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Refused([{ message: "The hub cannot be reached. Nothing was changed as far as this page knows." }]);
  }
  if (answer.status === 401) {
    location.assign(`/sign-in?next=${encodeURIComponent(location.pathname + location.search)}`);
    throw new Refused([{ message: "You are signed out." }]);
  }
  const body = await answer.json();
  if (body.errors?.length) throw new Refused(body.errors);
  return body.data;
}

/** Run a mutation, and return its payload; Refused with the payload's own errors, which name fields. */
export async function mutate(name, input, options) {
  const data = await run(name, { input }, options);
  const [payload] = Object.values(data);
  if (payload?.errors?.length) throw new Refused(payload.errors);
  return payload;
}

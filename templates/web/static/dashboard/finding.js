// "A customer…": what is typed into [data-finds-customer] is looked up, and stands for a customer once it is one's name;
// its id is in the form's [data-found], and the form's buttons wait for it.

import { run } from "./graphql.js";

let due;

document.addEventListener("input", (event) => {
  const field = event.target;
  if (!field.matches?.("[data-finds-customer]")) return;
  const form = field.closest("form");
  const chosen = [...field.list.options].find((each) => each.value === field.value);
  form.querySelector("[data-found]").value = chosen?.dataset.id ?? "";
  for (const button of form.querySelectorAll("button:not([data-erase])")) button.disabled = !chosen;
  if (chosen || field.value.length < 2) return;
  clearTimeout(due);
  due = setTimeout(async () => {
    const found = await run("customers-named", { search: field.value });
    field.list.replaceChildren(...found.customers.nodes.map((each) => {
      const made = document.createElement("option");
      made.value = each.domain ? `${each.name} (${each.domain})` : each.name;
      made.dataset.id = each.id;
      return made;
    }));
  }, 200);
});

// Small things every page is made of.

import type { CombinedError } from "@urql/core";
import type { ComponentChildren } from "preact";
import { words } from "./client";
import { name } from "./shown";

/** A word on the colour it stands for; the word says it all, so the colour is for the eye alone. */
export function Badge({ value }: { value: string | null | undefined }) {
  if (value == null) return <span class="badge">unknown</span>;
  return <span class={`badge ${value.toLowerCase()}`}>{name(value)}</span>;
}

export function Problem({ error, again }: { error: CombinedError | undefined; again?: () => void }) {
  if (error === undefined) return null;
  return (
    <div class="problem" role="alert">
      <p>{words(error)}</p>
      {again && (
        <button type="button" onClick={again}>
          Try again
        </button>
      )}
    </div>
  );
}

export function Section({ title, children }: { title: string; children: ComponentChildren }) {
  const id = `part-${title.toLowerCase().replaceAll(" ", "-")}`;
  return (
    <section class="card" aria-labelledby={id}>
      <h2 id={id}>{title}</h2>
      {children}
    </section>
  );
}

export function Choice<T extends string>(given: {
  label: string;
  value: T;
  options: readonly (readonly [T, string])[];
  chosen: (value: T) => void;
}) {
  return (
    <label>
      {given.label}
      <select value={given.value} onChange={(event) => given.chosen(event.currentTarget.value as T)}>
        {given.options.map(([value, text]) => (
          <option key={value} value={value}>
            {text}
          </option>
        ))}
      </select>
    </label>
  );
}

export const customerPath = (id: string) => `#/customers/${encodeURIComponent(id)}`;

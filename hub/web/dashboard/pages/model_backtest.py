"""Backtest: a definition of health tried on the stored past beside the live one, before anybody lives by it."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from hub.web.dashboard.page import Data, Page, Visit


def shape(data: Data, _: Visit) -> Data:
    main = next((each["hash"] for each in data["settings"]["healthDefinitions"] if each["role"] == "main"), None)
    kept = next((each for each in data["healthDefinitions"]["nodes"] if each["hash"] == main), None)
    return {"text": written(kept["content"]) if kept else "", "kept_at": kept["keptAt"] if kept else None}


def written(content: Mapping[str, Any]) -> str:
    """A kept definition as the text of a health.yaml that means the same."""
    lines = [f"coverage_floor: {content['coverage_floor']}", "", "bands:"]
    lines += [f"  {name}: {_flow(cut)}" for name, cut in _cuts(content["bands"]).items()]
    lines += ["", "groups:"]
    for group in content["tree"]["of"]:
        lines += [f"  {group['name']}:", f"    weight: {group['weight']}", "    of:"]
        for measure in group["of"]:
            said = {name: value for name, value in measure.items() if name != "name" and value is not None}
            lines.append(f"      {measure['name']}: {_flow(said)}")
    return "\n".join(lines) + "\n"


def _cuts(bands: Sequence[tuple[str, float]]) -> dict[str, dict[str, float]]:
    """Where bands begin and end, from where each begins; from the worst up."""
    ordered = sorted(bands, key=lambda each: each[1])
    ends = [*(start for _, start in ordered[1:]), None]
    return {
        name: {"from": start} if end is None else {"from": start, "below": end}
        for (name, start), end in zip(ordered, ends, strict=True)
    }


def _flow(value: Any) -> str:
    """As YAML on one line: JSON is such."""
    return json.dumps(value)


PAGE = Page(name="model_backtest", path="/model/backtest", title="Backtest", nav="model", shape=shape)

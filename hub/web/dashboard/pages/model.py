"""Model: how far its probabilities can be trusted, by what it had not seen; and whether customers have moved away from it."""

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from hub.drawing import CalibrationPoint, Curve, calibration, lift
from hub.model.actions import Role
from hub.web.dashboard import charts
from hub.web.dashboard.page import Data, Page, Visit

IMPORTANCE_AT_MOST = 12
RIVALS: Mapping[str, str] = {
    "roc_auc": "Ranks who leaves above who stays",
    "pr_auc": "Finds those who leave (PR-AUC)",
    "lift": "Lift of the riskiest tenth",
    "skill": "Better than the base rate by",
    "calibration_error": "Calibration error",
    "brier": "Brier score",
    "log_loss": "Log-loss",
}
"""What each figure says, in the order of their use to a reader."""


def horizon(visit: Visit) -> str:
    return visit.query.get("horizon") or "90d"


def variables(visit: Visit) -> Data:
    return {"horizon": horizon(visit)}


def shape(data: Data, visit: Visit) -> Data:
    model = data["model"]
    judged = model["evaluations"] if model else []
    drift = data["drift"][0] if data["drift"] else None
    return {
        "horizon": horizon(visit),
        "horizons": data["settings"]["churnHorizons"],
        "judged": [{**each, "metrics": figures(each["metrics"])} for each in judged],
        "calibration": _calibration(judged),
        "lift": _lift(judged),
        "importance": importance(model["importance"]) if model else [],
        "verdict": verdict(judged),
        "drift": drift,
        "moved": sorted(
            (each for each in drift["readings"] if each["level"] in ("WARN", "ACT")), key=lambda each: each["level"]
        )[:12]
        if drift
        else [],
        "may_train": visit.viewer.may(Role.ADMIN),
    }


def figures(metrics: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The figures of a look at the model, each with what it says, in the order of RIVALS."""
    known = {each["name"]: each for each in metrics}
    return [{**known[name], "title": title, "times": name == "lift"} for name, title in RIVALS.items() if name in known]


def verdict(judged: Sequence[Mapping[str, Any]]) -> str | None:
    """One sentence on what the model is worth, by the riskiest tenth of what came after it learned."""
    for each in judged:
        known = {metric["name"]: metric for metric in each["metrics"]}
        if "lift" in known:
            best = known["lift"]
            return (
                f"Among the tenth it calls riskiest, {best['value']:.1f} times as many left as among all "
                f"({best['low']:.1f} to {best['high']:.1f}; {each['churned']} of {each['customers']} customers left)."
            )
    return None


def _calibration(judged: Sequence[Mapping[str, Any]]) -> Markup | None:
    if not judged or not judged[0]["calibration"]:
        return None
    points = [CalibrationPoint(**point) for point in judged[0]["calibration"]]
    drawn = calibration(points, title="Predicted and what came true")
    said = "; ".join(f"predicted {point.predicted:.0%}, left {point.observed:.0%}" for point in points)
    return charts.picture(drawn, label=f"Calibration on {judged[0]['split']}: {said}")


def _lift(judged: Sequence[Mapping[str, Any]]) -> Markup | None:
    curves = [
        Curve(each["split"], [(p["share"], p["lift"]) for p in each["liftCurve"]])
        for each in judged
        if each["liftCurve"]
    ]
    if not curves:
        return None
    said = ", ".join(f"{share:.0%}: {times:.1f}" for share, times in curves[0].points[1::4])
    return charts.picture(lift(curves, title="Lift"), label=f"Times the churn rate of all, by share looked at: {said}")


def importance(features: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The strongest features, each with its effect as a share of the strongest one's."""
    most = max((each["effect"] for each in features), default=0.0) or 1.0
    return [{**each, "share": each["effect"] / most} for each in features[:IMPORTANCE_AT_MOST]]


PAGE = Page(name="model", path="/model", title="Model", nav="model", variables=variables, shape=shape)

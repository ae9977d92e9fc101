"""A simulation's lives as rows somebody sees at a moment: what happened later is left out, and `updated_at` says when last."""

from collections.abc import Iterable

from connectors.kit.simulated import Account, Deal, NpsAnswer, Person, SupportTicket, Term
from hub.demo.company.contracts import DAY_SECONDS, Contracts, TermLife
from hub.demo.company.people import NEVER, ROLES, People
from hub.demo.company.pipeline import DealLife
from hub.demo.company.retelling import Retelling, Viewpoint
from hub.demo.company.roster import Roster
from hub.demo.company.support import TicketLife, order
from hub.demo.company.surveys import Answer
from hub.demo.company.touches import Touches

BY_HAND = 3  # every third yearly contract is renewed by hand
CLOSES_AFTER = 4 * DAY_SECONDS  # a solved ticket nobody reopens
NIGHT_RUN = 9_000  # billing's and the CRM's nightly work, seconds after midnight


def accounts(view: Viewpoint, roster: Roster, contracts: Contracts) -> list[Account]:
    today = view.second // DAY_SECONDS
    rows = []
    for index in range(len(roster)):
        signed, ended = int(roster.signed[index]), int(contracts.ends[index])
        if signed * DAY_SECONDS + 30_000 > view.second:
            continue
        moved = roster.csm_change if roster.csm[index] != roster.csm_after[index] else NEVER
        csm_name, csm_email = roster.csm_of(index, today)
        gone = ended * DAY_SECONDS + NIGHT_RUN
        rows.append(
            Account(
                number=index + 1,
                name=roster.names[index],
                domain=roster.domains[index],
                parent=roster.parents[index],
                segment=roster.segments[index],
                industry=roster.industries[index],
                country=roster.countries[index],
                employees=int(roster.employees[index]),
                csm_name=csm_name,
                csm_email=csm_email,
                signed_on=view.on(signed),
                updated_at=view.latest(signed * DAY_SECONDS + 30_000, moved * DAY_SECONDS, gone),
                churned_on=view.on(ended) if gone <= view.second else None,
            )
        )
    return rows


def persons(view: Viewpoint, people: People, contracts: Contracts, touches: Touches) -> list[Person]:
    rows = []
    for index, face in enumerate(people.faces):
        account, joined, left = int(people.account[index]), int(people.joined[index]), int(people.left[index])
        created = joined * DAY_SECONDS + 31_000 + index * 37 % 20_000
        if created > view.second or joined >= contracts.ends[account]:
            continue
        gone = left * DAY_SECONDS + 61_000
        met = touches.last(index, view.second)
        rows.append(
            Person(
                number=index + 1,
                account=account + 1,
                name=face.name,
                email=face.email,
                title=face.title,
                role=ROLES[people.role[index]],
                created_at=view.at(created),
                updated_at=view.latest(created, gone, met),
                left_at=view.at(gone) if gone <= view.second else None,
                last_contact_at=view.at(met) if met is not None else None,
            )
        )
    return rows


def tickets(lives: list[TicketLife]) -> Retelling[TicketLife, SupportTicket]:
    """The tickets of all lives."""
    return Retelling(order(lives), begins=lambda life: life.created, over=_over, tell=_ticket)


def _over(life: TicketLife) -> int:
    """The second from which on nothing happens to it."""
    return max(
        life.created, life.replied, *life.solved, *life.reopened, life.csat_at or 0, life.solved[-1] + CLOSES_AFTER
    )


def _ticket(view: Viewpoint, number: int, life: TicketLife) -> SupportTicket:
    now = view.second
    replied = life.replied <= now
    solved = [second for second in life.solved if second <= now]
    reopens = sum(second <= now for second in life.reopened)
    done = len(solved) > reopens
    closed = solved[-1] + CLOSES_AFTER if len(solved) == len(life.solved) else None
    rated = life.csat_at is not None and life.csat_at <= now
    ended = "closed" if closed is not None and closed <= now else "solved"
    status = ended if done else life.held if replied else "new"
    return SupportTicket(
        number=number,
        account=life.customer + 1,
        person=life.person + 1,
        subject=life.subject,
        severity=life.severity,
        status=status,
        created_at=view.at(life.created),
        updated_at=view.latest(life.created, life.replied, *life.solved, *life.reopened, life.csat_at, closed),
        first_reply_minutes=(life.replied - life.created) // 60 if replied else None,
        solved_at=view.at(solved[-1]) if done else None,
        reopens=reopens,
        replies=(life.replies if solved else 1) if replied else 0,
        csat=life.csat if rated else None,
        csat_comment=life.csat_comment if rated else None,
        csat_at=view.at(life.csat_at) if rated and life.csat_at is not None else None,
    )


def answers(view: Viewpoint, given: Iterable[Answer]) -> list[NpsAnswer]:
    ordered = sorted(given, key=lambda answer: (answer.second, answer.person))
    return [
        NpsAnswer(
            number=number,
            account=answer.customer + 1,
            person=answer.person + 1,
            score=answer.score,
            comment=answer.comment,
            at=view.at(answer.second),
        )
        for number, answer in enumerate(ordered, start=1)
        if answer.second <= view.second
    ]


def terms(view: Viewpoint, lives: list[TermLife], roster: Roster) -> list[Term]:
    return [
        _term(view, number, life, roster)
        for number, life in enumerate(lives, start=1)
        if life.started * DAY_SECONDS + NIGHT_RUN <= view.second
    ]


def _term(view: Viewpoint, number: int, life: TermLife, roster: Roster) -> Term:
    born = life.started * DAY_SECONDS + NIGHT_RUN
    counted = [(day, used) for day, used in life.used if day * DAY_SECONDS + NIGHT_RUN <= view.second]
    told = life.cancelled is not None and life.cancelled <= view.second
    end = life.ended * DAY_SECONDS + NIGHT_RUN
    by_hand = roster.months[life.customer] == 12 and life.customer % BY_HAND == 0
    return Term(
        number=number,
        account=life.customer + 1,
        plan=life.plan,
        mrr=round(life.price * life.seats, 2),
        currency="USD",
        seats_purchased=life.seats,
        seats_used=counted[-1][1] if counted else 0,
        started_on=view.on(life.started),
        renews_on=view.on(life.renews),
        ended_on=view.on(life.ended) if end <= view.second else None,
        auto_renew=not by_hand and (not told or life.kind == "contraction"),
        cancelled_at=view.at(life.cancelled) if told and life.cancelled is not None else None,
        cancellation_kind=life.kind if told else None,
        updated_at=view.latest(born, end, life.cancelled, *(day * DAY_SECONDS + NIGHT_RUN for day, _ in counted)),
    )


def deals(view: Viewpoint, lives: list[DealLife], roster: Roster) -> list[Deal]:
    rows = []
    seller = roster.staff[0][1]
    for number, life in enumerate(lives, start=1):
        created, closed = life.created * DAY_SECONDS + 40_000, life.closed * DAY_SECONDS + 55_000
        # a customer is in the CRM from its signing on; what was sold to nobody yet is not told
        if created > view.second or roster.signed[life.customer] * DAY_SECONDS + 30_000 > view.second:
            continue
        over = closed <= view.second
        words = {"new": "First contract", "renewal": f"Renewal {view.on(life.due):%Y-%m}", "expansion": "More seats"}
        owner = seller if life.kind == "new" else roster.csm_of(life.customer, life.created)[1]
        rows.append(
            Deal(
                number=number,
                account=life.customer + 1,
                name=f"{roster.names[life.customer]}: {words[life.kind]}",
                kind=life.kind,
                stage=("won" if life.won else "lost") if over else "open",
                amount=life.final if over and life.final is not None else life.amount,
                currency="USD",
                close_on=view.on(life.closed if over else life.due),
                created_at=view.at(created),
                updated_at=view.latest(created, closed),
                owner_email=owner,
            )
        )
    return rows

"""Advocacy: who would recommend us, asked once a quarter, and what they answered.

    settings   from which score on somebody is a promoter, and whom the hub asks how often
    keeping    where all customers stand, by the NPS answers of every survey tool
    choosing   whose turn it is today, and what stands against it; arithmetic alone
    inviting   asks them: an invitation and a mail in the ledger each
    answering  what they answer, and the comment they add

What is done about answers stands in playbooks: advocacy_ask (a case study or a referral) and nps_detractor.
"""

from hub.lifecycle.advocacy.answering import Asked, answer, comment, link_good_until, look
from hub.lifecycle.advocacy.inviting import SCHEDULE, Invited, invite
from hub.lifecycle.advocacy.keeping import keep_advocacy
from hub.lifecycle.advocacy.settings import AdvocacySettings

__all__ = [
    "SCHEDULE",
    "AdvocacySettings",
    "Asked",
    "Invited",
    "answer",
    "comment",
    "invite",
    "keep_advocacy",
    "link_good_until",
    "look",
]

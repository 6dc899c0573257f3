"""Whatever people do in whatever order: nothing is public that a second person has not approved."""

import asyncio
from datetime import timedelta
from itertools import pairwise
from typing import ClassVar

import asyncpg
import hypothesis
from hypothesis import HealthCheck
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from kit.errors import DomainError
from server.settings import Settings
from tests.officers import given_officer
from tests.units.approvals.notices import appoint, given_stage
from units.approvals.approvals import approve, find_approval, send_back, withdraw
from units.approvals.steps import list_steps

# May approve where it waits, by themselves or for somebody.
DECIDERS = ("hung", "mai", "minh", "binh")
EVERYBODY = (*DECIDERS, "lan", "song")
_FOLLOWS = {
    "handed_in": {"approved", "returned", "withdrawn"},
    "approved": {"withdrawn"},
    "returned": set(),
    "withdrawn": set(),
}


_loop = asyncio.new_event_loop()
run = _loop.run_until_complete


class ApprovalByTwo(RuleBasedStateMachine):
    url: ClassVar[str]
    told: ClassVar[Settings]

    def __init__(self) -> None:
        super().__init__()
        self.connection = run(asyncpg.connect(self.url))
        self.transaction = self.connection.transaction()
        run(self.transaction.start())
        run(self.set_the_stage())
        self.now, self.current, self.authors = self.stage.now, None, set()

    async def set_the_stage(self) -> None:
        self.stage = await given_stage(self.connection, self.told)
        school, roles = "thpt-hoa-sua", ("editor", "approver")
        self.cast = {
            "lan": await given_officer(self.connection, "lan", (school, "editor")),
            "binh": await given_officer(self.connection, "binh", (school, "editor")),
            "hung": await given_officer(self.connection, "hung", (school, "approver")),
            "mai": await given_officer(self.connection, "mai", *((school, role) for role in roles)),
            "minh": await given_officer(self.connection, "minh", ("so", "approver")),
            "song": await given_officer(self.connection, "song", ("thpt-song-xanh", "approver")),
        }
        await appoint(self.connection, self.stage, self.cast["hung"], self.cast["binh"], days=300)

    def attempt(self, action, *arguments, who=None, **facts) -> str:
        """What came of it, in a word; what is refused leaves nothing behind."""

        async def within():
            async with self.connection.transaction():
                return await action(*arguments, **facts)

        context = self.stage.deciding(self.cast[who], now=self.now) if who else {}
        facts |= context
        try:
            return run(within()).state
        except DomainError as problem:
            return problem.code

    @rule(
        author=st.sampled_from(["lan", "mai", "hung"]),
        helper=st.sampled_from([None, "binh", "mai"]),
        moment=st.sampled_from([None, timedelta(hours=-1), timedelta(hours=2)]),
    )
    def hand_in(self, author, helper, moment) -> None:
        waits = self.current is not None and run(find_approval(self.connection, self.current)).state == "waiting"
        self.stage.notices.writers["a"] = [self.cast[helper].id] if helper else []
        before = dict(self.stage.notices.public)
        facts = {"now": self.now, "takes_effect_at": self.now + moment if moment is not None else None}
        if waits:
            assert self.attempt(self.stage.hand_in, self.connection, self.cast[author], **facts) == "already_waiting"
            self.stage.notices.writers["a"] = self.writers
            return
        approval = run(self.stage.hand_in(self.connection, self.cast[author], **facts))
        self.current, self.at, self.writers = approval.id, approval.takes_effect_at, self.stage.notices.writers["a"]
        self.authors = {author} | ({helper} if helper else set())
        self.model = "waiting"
        assert self.stage.notices.public == before, "handing in changes nothing"

    @precondition(lambda self: self.current)
    @rule(who=st.sampled_from(EVERYBODY))
    def approve(self, who) -> None:
        outcome = self.attempt(approve, self.connection, self.stage.kinds, self.current, who=who)
        if outcome == "approved":
            assert self.model == "waiting"
            assert who in DECIDERS
            assert who not in self.authors
            assert who != "binh" or "hung" not in self.authors, "nobody decides for somebody about his own work"
            self.model, self.decided_at = "approved", self.now
        elif self.model == "waiting":
            assert outcome in ("own_work", "not_permitted", "approval_not_found")
            assert who in self.authors or who not in ("hung", "mai", "minh"), outcome

    @precondition(lambda self: self.current)
    @rule(who=st.sampled_from(EVERYBODY))
    def send_back(self, who) -> None:
        outcome = self.attempt(send_back, self.connection, self.stage.kinds, self.current, "Sửa", who=who)
        if outcome == "returned":
            assert self.model == "waiting"
            assert who in DECIDERS
            assert who not in self.authors
            self.model = "returned"

    @precondition(lambda self: self.current)
    @rule(who=st.sampled_from(EVERYBODY))
    def withdraw(self, who) -> None:
        outcome = self.attempt(withdraw, self.connection, self.stage.kinds, self.current, "Hoãn", who=who)
        if outcome == "withdrawn":
            assert who != "song"
            assert self.model == "waiting" or (self.model == "approved" and not self.is_in_effect())
            self.model = "withdrawn"
        elif self.model == "waiting" and who in self.authors:
            raise AssertionError(outcome)

    @rule(hours=st.integers(1, 3))
    def wait(self, hours) -> None:
        self.now += timedelta(hours=hours)

    def is_in_effect(self) -> bool:
        return self.now >= max(self.decided_at, self.at or self.decided_at)

    @precondition(lambda self: self.current)
    @invariant()
    def what_is_public_was_approved_by_another(self) -> None:
        approval = run(find_approval(self.connection, self.current))
        assert approval.state == self.model
        if approval.state == "approved":
            assert approval.decided_by not in approval.prepared_by
            assert self.stage.notices.public["a"][1] == approval.in_effect_at
            assert approval.is_in_effect(self.now) == self.is_in_effect()

    @precondition(lambda self: self.current)
    @invariant()
    def steps_follow_one_another(self) -> None:
        approval = run(find_approval(self.connection, self.current))
        steps = [each.step for each in run(list_steps(self.connection, approval))]
        assert steps[0] == "handed_in"
        assert all(after in _FOLLOWS[before] for before, after in pairwise(steps))

    def teardown(self) -> None:
        run(self.transaction.rollback())
        run(self.connection.close())


def test_no_order_of_steps_makes_anything_public_without_a_second_person(database, settings):
    ApprovalByTwo.url, ApprovalByTwo.told = database.url, settings
    run_state_machine_as_test(ApprovalByTwo, settings=_PATIENT)


_PATIENT = hypothesis.settings(
    max_examples=25, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck), database=None
)

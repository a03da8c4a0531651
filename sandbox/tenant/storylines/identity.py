"""Storylines about signing in."""

from datetime import timedelta
from typing import Final

from sandbox.tenant.places import FAR_PLACES, OFFICES, host
from sandbox.tenant.storyline import LINUX, Script, StorylineBuilder


def _sso_switched_off(story: StorylineBuilder) -> None:
    admin, victim = story.holder("owner", "admin"), story.someone("finance")
    night = admin.actor(address=admin.home)
    at = story.add(story.at(admin, 2.2), "org_sso_toggled", night, enabled=False)
    at = story.add(at, "org_magic_link_second_factor_toggled", night, enabled=False)
    address = story.far_address()
    at = story.add(at + timedelta(minutes=4), "magic_link_login_initiated", story.stranger(address, victim.email))
    inside = victim.actor(address=address, agent=LINUX)
    at = story.add(at + timedelta(minutes=1), "magic_link_login_succeeded", inside, auth_method="magic_link")
    place = story.organization(victim)
    for _ in range(14):
        at = story.add(at, "claude_chat_viewed", inside, place)
    at = story.add(at, "user_logged_out", inside)
    at = story.add(at + timedelta(minutes=6), "org_magic_link_second_factor_toggled", night, enabled=True)
    story.add(at, "org_sso_toggled", night, enabled=True)

    other = story.holder("owner", "admin")
    day = story.at(other, 11)
    day = story.add_benign(day, "org_sso_seat_tier_assignment_toggled", other.actor(), enabled=False)
    day = story.add_benign(day, "org_sso_scim_welcome_email_toggled", other.actor(), enabled=False)
    story.add_benign(day, "org_sso_toggled", other.actor(), story.company.console[1], enabled=True)


def _password_spray(story: StorylineBuilder) -> None:
    address = story.far_address()
    targets = story.rng.sample(story.staff, min(40, len(story.staff)))
    victim = targets[-1]
    at = story.at(None, 3.4)
    for person in targets:
        tries = 6 if person is victim else 1
        for _ in range(tries):
            at = story.add(at, "sso_login_failed", story.stranger(address, person.email, "python-requests/2.32"))
    inside = victim.actor(address=address, agent="python-requests/2.32")
    at = story.add(at, "sso_login_succeeded", inside, auth_method="sso")
    for _ in range(20):
        at = story.add(at, "claude_chat_viewed", inside, story.organization(victim))

    # An identity provider outage in the morning: many sign-ins fail from one office address, then all succeed.
    office = OFFICES[0].office or OFFICES[0].home
    monday = story.at(None, 7.6)
    for person in story.rng.sample(story.staff, min(12, len(story.staff))):
        failing = story.stranger(host(office, 1), person.email, person.user_agent)
        story.add_benign(monday, "sso_login_failed", failing)
        back = monday + timedelta(minutes=9)
        story.add_benign(back, "sso_login_succeeded", person.actor(address=host(office, 1)), auth_method="sso")
        monday += timedelta(seconds=story.rng.uniform(5, 40))


def _impossible_travel(story: StorylineBuilder) -> None:
    person = story.someone("sales")
    place = story.organization(person)
    at = story.add(story.at(person, 9.3), "sso_login_succeeded", person.actor(), auth_method="sso")
    for _ in range(4):
        at = story.add(at, "claude_chat_viewed", person.actor(), place)
    for number, far in enumerate(FAR_PLACES[:2]):
        at += timedelta(minutes=35)
        agent = ("HeadlessChrome/140.0", "curl/8.9")[number]
        elsewhere = person.actor(address=story.far_address(far), agent=agent)
        at = story.add(at, "claude_chat_created", elsewhere, place)
        for _ in range(12):
            at = story.add(at, "claude_chat_viewed", elsewhere, place)
        at = story.add(at, "claude_file_viewed", elsewhere, place)

    # A phone on a train across the border and a laptop at the office: two countries, but possible travel.
    other = story.someone("legal")
    for office in OFFICES[:2]:
        phone = other.actor(address=host(office.home, 7), agent=other.mobile_agent)
        story.add_benign(story.at(other, 10.5), "claude_chat_viewed", phone, story.organization(other))


IDENTITY: Final = (
    Script(
        "sso-switched-off",
        "Single sign-on off for 15 minutes",
        "At night an administrator's account turns off SSO and MFA, someone signs in from far away by magic link and "
        "reads chats, and both are turned on again.",
        ("claude-sso-disabled", "claude-second-factor-disabled", "claude-sign-in-around-sso"),
        _sso_switched_off,
    ),
    Script(
        "password-spray",
        "One address tries every account",
        "One foreign address fails to sign in to forty accounts and then succeeds with the last.",
        ("claude-sign-in-spray", "claude-failures-then-success", "claude-scripted-session"),
        _password_spray,
    ),
    Script(
        "impossible-travel",
        "One session in three countries",
        "A session that began in the office continues within the hour on two other continents with scripting agents.",
        ("claude-impossible-travel", "claude-session-many-places", "claude-scripted-session"),
        _impossible_travel,
    ),
)

"""What a sync matches by itself."""

from tests.world import World, event, unix


async def test_auto_match_prefers_the_metadata_and_never_touches_a_mapping(here: World) -> None:
    add = here.account.add_customer
    add("cus_meta", name="Meta", metadata={"nullspend_customer": "meta-tag"})
    add("cus_id", name="Id")
    add("cus_kept", name="Kept", metadata={"nullspend_customer": "kept-tag"})
    add("cus_unseen", name="Unseen", metadata={"nullspend_customer": "never-seen"})
    for customer in ("cus_meta", "cus_id", "cus_kept", "cus_unseen"):
        here.account.add_invoice(customer, 100, created=unix(2026, 11, 2))
    for tag in ("meta-tag", "cus_meta", "cus_id", "kept-tag", "mine"):
        await here.spend(tag, 5)
    await here.map("cus_kept", "mine")
    await here.connect()
    assert (await here.sync())["autoMatchesCreated"] == 2
    found = {
        mapping["stripeCustomerId"]: (
            mapping["tagValue"],
            mapping["matchType"],
            mapping["confidence"],
        )
        for mapping in await here.get("/api/customer-mappings")
    }
    assert found == {
        "cus_kept": ("mine", "manual", 1.0),
        "cus_meta": ("meta-tag", "auto", 1.0),
        "cus_id": ("cus_id", "auto", 0.9),
    }
    assert (await here.sync())["autoMatchesCreated"] == 0


async def test_a_rejected_match_stays_rejected_until_somebody_posts_it(here: World) -> None:
    here.account.add_customer("cus_1", name="One")
    here.account.add_invoice("cus_1", 100, created=unix(2026, 11, 2))
    await here.spend("cus_1", 5)
    await here.connect()
    assert (await here.sync())["autoMatchesCreated"] == 1
    (match,) = await here.get("/api/customer-mappings")
    assert (
        await here.call("DELETE", f"/api/customer-mappings?id={match['id']}")
    ).status_code == 200
    assert (await here.sync())["autoMatchesCreated"] == 0
    await here.call("DELETE", "/api/stripe/disconnect")
    await here.connect()
    assert (await here.sync())["autoMatchesCreated"] == 1  # disconnect forgets rejections


async def test_a_tag_seen_over_ninety_days_ago_is_not_matched(here: World) -> None:
    here.account.add_customer("cus_1", name="One")
    here.account.add_invoice("cus_1", 100, created=unix(2026, 11, 2))
    await here.post_event(event(customer="cus_1", occurredAt="2026-08-20T00:00:00Z"))
    await here.connect()
    assert (await here.sync())["autoMatchesCreated"] == 0

"""When it pays to ask whether a customer's detail is still the one that was told."""

from __future__ import annotations

from nullspend_margins.services.detail_cache import DetailCache


def likely(cache: DetailCache[str, str], key: str = "a") -> tuple[int | None, str] | None:
    found = cache.likely(key)
    return None if found is None else (found.revision, found.value)


def test_what_was_told_once_is_likely_still_right() -> None:
    cache: DetailCache[str, str] = DetailCache()
    assert likely(cache) is None
    cache.put("a", None, "at the very beginning")
    assert likely(cache) == (None, "at the very beginning")
    assert likely(cache, "b") is None


def test_what_changes_from_one_reading_to_the_next_is_not_asked_about_until_it_rests() -> None:
    cache: DetailCache[str, str] = DetailCache()
    for revision in (5, 3, 9):
        cache.put("a", revision, f"at {revision}")
        assert likely(cache) == ((5, "at 5") if revision == 5 else None)
    cache.put("a", 9, "at 9 still")
    assert likely(cache) == (9, "at 9 still")
    cache.put("a", 4, "at 4")
    assert likely(cache) is None


def test_details_have_room_by_their_weight() -> None:
    cache: DetailCache[str, str] = DetailCache(room=3)
    cache.put("a", 1, "first")
    cache.put("b", 1, "second", weight=2)
    assert likely(cache) == (1, "first")  # and so it stays longer than the other
    cache.put("c", 1, "third")
    assert [likely(cache, key) for key in "abc"] == [(1, "first"), None, (1, "third")]

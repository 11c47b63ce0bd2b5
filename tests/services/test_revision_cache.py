"""Which tables are kept, and for how long."""

from nullspend_margins.services.revision_cache import RevisionCache, TableCache


def test_a_table_is_given_out_for_its_own_revision_alone() -> None:
    cache: TableCache[tuple[str, int, str], str] = TableCache()
    assert cache.get(("org_1", 1, "net"), 7) is None
    cache.put(("org_1", 1, "net"), 7, "table", rows=3)
    assert cache.get(("org_1", 1, "net"), 7) == "table"
    assert cache.get(("org_1", 1, "net"), 8) is None
    assert cache.get(("org_1", 2, "net"), 7) is None
    assert cache.get(("org_2", 1, "net"), 7) is None
    assert cache.get(("org_1", 1, "cash"), 7) is None


def test_the_tables_asked_for_longest_ago_go_first() -> None:
    cache: TableCache[tuple[str, int, str], str] = TableCache(max_rows=10)
    cache.put(("org_1", 1, "net"), 7, "first", rows=4)
    cache.put(("org_1", 2, "net"), 7, "second", rows=4)
    assert cache.get(("org_1", 1, "net"), 7) == "first"
    cache.put(("org_1", 3, "net"), 7, "third", rows=4)
    assert cache.get(("org_1", 2, "net"), 7) is None
    assert cache.get(("org_1", 1, "net"), 7) == "first"


def test_a_table_larger_than_all_the_room_pushes_nothing_out_but_the_last_such() -> None:
    cache: TableCache[tuple[str, int, str], str] = TableCache(max_rows=10, max_large_rows=100)
    cache.put(("org_1", 1, "net"), 7, "small", rows=4)
    cache.put(("org_2", 1, "net"), 7, "large", rows=11)
    assert cache.get(("org_2", 1, "net"), 7) == "large"
    assert cache.get(("org_2", 1, "net"), 8) is None
    cache.put(("org_3", 1, "net"), 7, "another", rows=20)
    assert cache.get(("org_3", 1, "net"), 7) == "another"
    assert cache.get(("org_2", 1, "net"), 7) is None
    assert cache.get(("org_1", 1, "net"), 7) == "small"


def test_a_table_larger_than_that_is_not_kept() -> None:
    cache: TableCache[tuple[str, int, str], str] = TableCache(max_rows=10, max_large_rows=100)
    cache.put(("org_2", 1, "net"), 7, "large", rows=11)
    cache.put(("org_1", 1, "net"), 7, "huge", rows=101)
    assert cache.get(("org_1", 1, "net"), 7) is None
    assert cache.get(("org_2", 1, "net"), 7) == "large"


def test_a_large_table_that_became_small_is_forgotten_and_the_other_way_round() -> None:
    cache: TableCache[tuple[str, int, str], str] = TableCache(max_rows=10, max_large_rows=100)
    for revision, rows in enumerate((11, 4, 50, 5, 101)):
        cache.put(("org_1", 1, "net"), revision, f"table {revision}", rows=rows)
        kept = None if rows > 100 else f"table {revision}"
        assert cache.get(("org_1", 1, "net"), revision) == kept
        assert cache.get(("org_1", 1, "net"), revision - 1) is None
    assert [cache.is_large(rows) for rows in (9, 10)] == [False, True]


def test_a_newer_table_takes_the_place_of_the_older_one() -> None:
    cache: TableCache[tuple[str, int, str], str] = TableCache(max_rows=10)
    for revision in range(50):
        cache.put(("org_1", 1, "net"), revision, f"table {revision}", rows=9)
    assert cache.get(("org_1", 1, "net"), 49) == "table 49"
    cache.put(("org_1", 2, "net"), 49, "other", rows=0)
    assert cache.get(("org_1", 2, "net"), 49) == "other"


def test_things_have_room_by_their_weight() -> None:
    cache: RevisionCache[str, str] = RevisionCache(room=3)
    cache.put("a", 1, "first")
    cache.put("b", 1, "second", weight=2)
    assert cache.get("a", 1) == "first"
    cache.put("c", 1, "third")
    assert [cache.get(key, 1) for key in "abc"] == ["first", None, "third"]
    assert (cache.latest("a"), cache.latest("b")) == ("first", None)
    cache.drop("a")
    cache.put("d", 1, "fourth", weight=2)
    assert [cache.get(key, 1) for key in "acd"] == [None, "third", "fourth"]

"""Sorted listings and the search: every node once, in order, whatever the page size; and plans that use an index."""

from __future__ import annotations

import pytest
from sqlalchemy import event, insert, text

from db import Database, Moves, Search, Tree
from db.schema import nodes
from db.tree.nodes import name_columns
from db.tree.search import ROUND, ROUNDS
from errors import BadInput, NotFound
from model import File, Node, Order, Page, Sort, User
from tests.db.conftest import Clock, put

ORDERS: tuple[Order, ...] = ("asc", "desc")
SORTS: tuple[Sort, ...] = ("name", "size", "modified")


@pytest.fixture
def tree(database: Database) -> Tree:
    return Tree(database)


@pytest.fixture
def search(database: Database) -> Search:
    return Search(database)


@pytest.fixture
def filled(database: Database, tree: Tree, ann: User, clock: Clock) -> None:
    """Files of equal and of other sizes and times, and folders, whose names sort otherwise than they were made."""
    for number, name in enumerate(["b", "E", "a", "d", "C"]):
        put(database, ann, clock, f"/{name}.bin", *range(10 * number + 1, 10 * number + 2 + number % 3))
        clock.move(hours=(number * 7) % 3)
        tree.make_folder(ann.id, "/", f"folder {name}")


def all_pages(tree: Tree, owner: User, limit: int, sort: Sort, order: Order) -> list[Node]:
    found: list[Node] = []
    cursor = None
    while True:
        page = tree.listing(owner.id, "/", cursor, limit, sort=sort, order=order)
        found += page.items
        if (cursor := page.next) is None:
            return found


def key(node: Node, sort: Sort) -> tuple[object, ...]:
    name = node.name.casefold()
    if sort == "modified":
        return node.modified_at, name
    return (node.size, name) if sort == "size" and isinstance(node, File) else (name,)


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("sort", SORTS)
def test_every_sort_and_order_has_all_nodes_in_order_folders_first(
    tree: Tree, ann: User, sort: Sort, order: Order
) -> None:
    whole = tree.listing(ann.id, "/").items
    folders = [node for node in whole if not isinstance(node, File)]
    files = [node for node in whole if isinstance(node, File)]
    expected = [
        node
        for each in (folders, files)
        for node in sorted(each, key=lambda node: key(node, sort), reverse=order == "desc")
    ]
    assert len(expected) == 10
    for limit in (1, 2, 3, 5, 9, 10, 11):
        assert all_pages(tree, ann, limit, sort, order) == expected


@pytest.mark.usefixtures("filled")
def test_a_cursor_belongs_to_the_sort_and_order_it_was_given_for(tree: Tree, ann: User) -> None:
    for limit in (2, 7):
        cursor = tree.listing(ann.id, "/", limit=limit, sort="size", order="desc").next
        for sort in SORTS:
            for order in ORDERS:
                if (sort, order) != ("size", "desc"):
                    with pytest.raises(BadInput, match="cursor"):
                        tree.listing(ann.id, "/", cursor, sort=sort, order=order)


def add_folders(database: Database, tree: Tree, owner: User, clock: Clock, names: list[str]) -> None:
    common = {"owner_id": owner.id, "parent_id": tree.root(owner.id).id, "kind": 0}
    times = {"created_at": clock.time, "modified_at": clock.time}
    with database.write(durable=False) as connection:
        connection.execute(insert(nodes), [common | times | name_columns(name) for name in names])


def found(page: Page) -> list[str]:
    return [node.path for node in page.items]


def test_a_search_finds_all_words_in_any_case_form_and_order(
    search: Search, tree: Tree, database: Database, ann: User, bob: User, clock: Clock
) -> None:
    put(database, ann, clock, "/Reise/Größe von Bäumen.txt", 1)
    tree.make_folders(ann.id, "/bäume/größe")
    put(database, bob, clock, "/größe der bäume", 2)
    assert found(search.by_name(ann.id, "GRÖSSE")) == ["/bäume/größe", "/Reise/Größe von Bäumen.txt"]
    assert found(search.by_name(ann.id, " ba\u0308um  größ ")) == ["/Reise/Größe von Bäumen.txt"]
    assert found(search.by_name(ann.id, "baum")) == []


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("sort", SORTS)
def test_a_search_has_all_that_it_finds_in_order_whatever_the_page_size(
    search: Search, tree: Tree, ann: User, sort: Sort, order: Order
) -> None:
    def value(node: Node) -> tuple[object, ...]:
        size = node.size if isinstance(node, File) else -1
        first = {"name": (), "size": (size,), "modified": (node.modified_at,)}[sort]
        return *first, node.name.casefold()

    expected = [node for node in all_pages(tree, ann, 100, "name", "asc") if "b" in node.name.casefold()]
    expected.sort(key=value, reverse=order == "desc")
    for limit in (1, 2, 3, 100):
        items: list[Node] = []
        cursor = None
        while True:
            page = search.by_name(ann.id, "b", after=cursor, limit=limit, sort=sort, order=order)
            items += page.items
            if (cursor := page.next) is None:
                break
            other: Order = "asc" if order == "desc" else "desc"
            with pytest.raises(BadInput, match="cursor"):
                search.by_name(ann.id, "b", after=cursor, sort=sort, order=other)
        assert items == expected


def test_a_search_looks_below_its_folder_only(search: Search, tree: Tree, ann: User) -> None:
    tree.make_folders(ann.id, "/a/x/a")
    tree.make_folders(ann.id, "/b/a")
    assert found(search.by_name(ann.id, "a", "/a")) == ["/a/x/a"]
    assert found(search.by_name(ann.id, "a", "/")) == ["/a", "/a/x/a", "/b/a"]
    with pytest.raises(NotFound):
        search.by_name(ann.id, "a", "/c")


def test_what_means_something_to_like_is_a_letter_as_any_other(search: Search, tree: Tree, ann: User) -> None:
    for name in ("100%", "a_b", "a/"[:1], "axb"):
        tree.make_folders(ann.id, f"/{name}")
    assert found(search.by_name(ann.id, "%")) == ["/100%"]
    assert found(search.by_name(ann.id, "_")) == ["/a_b"]
    assert found(search.by_name(ann.id, "/")) == []


@pytest.mark.parametrize("text", ["", "  ", "a " * 17])
def test_a_search_without_words_or_with_too_many_is_bad_input(search: Search, ann: User, text: str) -> None:
    with pytest.raises(BadInput):
        search.by_name(ann.id, text)


@pytest.mark.parametrize("cursor", ["", "!", "WzFd", "W10", "\ud800", "WyJcdWQ4MDAiLDFd"])
def test_a_cursor_that_no_search_gave_is_bad_input(search: Search, ann: User, cursor: str) -> None:
    with pytest.raises(BadInput, match="cursor"):
        search.by_name(ann.id, "a", after=cursor)


@pytest.mark.slow
def test_a_search_pages_without_loss_through_more_names_than_one_round_looks_at(
    search: Search, tree: Tree, database: Database, ann: User, clock: Clock
) -> None:
    wanted = [f"name {number:06}" for number in range(ROUND * (ROUNDS + 2))]
    add_folders(database, tree, ann, clock, wanted)
    tree.make_folders(ann.id, "/last")
    Moves(database).move(ann.id, tree.folder_at(ann.id, f"/{wanted[-1]}").id, folder="/last")
    page = search.by_name(ann.id, "name 0", "/last")
    assert not page.items and page.next, "it did not look at everything"
    page = search.by_name(ann.id, "name 0", "/last", page.next)
    assert found(page) == [f"/last/{wanted[-1]}"]
    names: list[str] = []
    cursor = None
    while True:
        page = search.by_name(ann.id, "0005", after=cursor, limit=7)
        assert len(page.items) <= 7
        names += [node.name for node in page.items]
        if (cursor := page.next) is None:
            break
    assert names == [name for name in wanted if "0005" in name]


def test_a_search_reads_the_index_of_names_and_no_node(database: Database, search: Search, ann: User) -> None:
    asked: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        asked.append(statement)

    event.listen(database._engine, "before_cursor_execute", note)
    search.by_name(ann.id, "a")
    event.remove(database._engine, "before_cursor_execute", note)
    (statement,) = [each for each in asked if "LIKE" in each]
    with database.read() as connection:
        plan = connection.execute(text("EXPLAIN QUERY PLAN " + statement.replace("?", ":x")), {"x": 1}).all()
    assert [step.detail for step in plan] == [
        "SEARCH nodes USING COVERING INDEX ix_nodes_search (owner_id=?)"
    ]

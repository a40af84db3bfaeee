"""What the palette lists, by name at once and in full bit by bit, and how it is searched. No Qt."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from quantcrafter.app.canvas.candidates import Offer
from quantcrafter.app.canvas.ranking import match
from quantcrafter.app.document.document import Document
from quantcrafter.app.inspector.content import block_role, block_uses
from quantcrafter.app.services.i18n import tr, translated
from quantcrafter.engine.api import Catalog, Component, PluginError, Role
from quantcrafter.engine.plugins.descriptions import headline

Entry = Offer
"""A line of the palette: role, use, category and one sentence of help; the last two are empty until read."""


class PaletteIndex:
    """All components of a catalog.

    Names cost nothing. Category and help need the component's class, which some families build only when asked, so
    they are read a few at a time by `read`.
    """

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._entries: dict[tuple[Role, str], Entry] = {
            (role, name): Entry(role, name, "", "") for role in Role for name in catalog.component_names(role)
        }
        self._unread = list(self._entries)

    @property
    def is_complete(self) -> bool:
        """Whether every component has been read."""
        return not self._unread

    @property
    def entries(self) -> tuple[Entry, ...]:
        """Every component, in the order of the sections of a file and of registration."""
        return tuple(self._entries.values())

    def read(self, count: int) -> None:
        """Read some more components."""
        for _ in range(min(count, len(self._unread))):
            self._read(*self._unread.pop(0))

    def entry(self, role: Role, use: str) -> Entry:
        """Return one component in full."""
        if (role, use) in self._unread:
            self._unread.remove((role, use))
            self._read(role, use)
        return self._entries[role, use]

    def component(self, role: Role, use: str) -> type[Component] | None:
        """Return a component's class, None where its plugin cannot build it."""
        try:
            return self._catalog.component(role, use)
        except PluginError:
            return None

    def _read(self, role: Role, use: str) -> None:
        cls = self.component(role, use)
        entry = self._entries[role, use]
        if cls is None:
            self._entries[role, use] = replace(entry, category=tr("Other"), summary=tr("Its plugin has an error."))
        else:
            self._entries[role, use] = replace(
                entry, category=translated(cls.category) or tr("Other"), summary=translated(headline(cls))
            )


def block_entries(document: Document) -> tuple[Entry, ...]:
    """Return the blocks that can be used: those of the document, then those of the user's block folder."""
    return tuple(
        Entry(block_role(body), use, tr("Blocks"), str(body.get("description") or tr("A block.")))
        for use, body in block_uses(document)
    )


def search(entries: Sequence[Entry], query: str) -> tuple[Entry, ...]:
    """Return the entries that match every word of a query: exact names, then beginnings, words, scattered letters."""
    scored = [(score, number) for number, entry in enumerate(entries) if (score := match(entry, query)) is not None]
    scored.sort(key=lambda pair: (-pair[0], pair[1]))
    return tuple(entries[number] for _, number in scored)


def by_family(entries: Sequence[Entry]) -> Iterator[tuple[Role, Mapping[str, Sequence[Entry]]]]:
    """Yield each family that has members, with these by category."""
    for role in Role:
        groups: dict[str, list[Entry]] = {}
        for entry in entries:
            if entry.role is role:
                groups.setdefault(entry.category, []).append(entry)
        if groups:
            yield role, groups

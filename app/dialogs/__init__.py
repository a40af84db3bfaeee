"""The dialogs. Each is a view over a Qt-free form model, returns a value and never changes a document.

| module | what it gives |
| --- | --- |
| `gallery` | `choose_template(parent, registry) -> Template or None` |
| `settings` | `edit_preferences(parent, preferences, preview) -> Preferences or None` |
| `shortcuts` | `edit_shortcuts(parent, commands) -> overrides by action id, or None` |
| `plugins` | `show_plugins(parent, registry, allow, loaded) -> whether a restart is due` |
| `about` | `show_about(parent)` |
| `unsaved` | `ask_unsaved(parent, names) -> UnsavedAnswer` |
| `migration` | `MigrationDialog`: what a migration to this format changed |
| `changed` | `ChangedNotice`, a bar over the canvas: `answered` gives a `ChangedAnswer` |
| `tour` | `Tour(window, find)`: coach marks that point at the window's parts; `finished` when over |
"""

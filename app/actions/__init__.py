"""Every action of the program as frozen data, in one registry: menus, toolbar, command palette, shortcut editor."""

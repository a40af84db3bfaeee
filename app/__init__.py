"""The desktop application."""

from quantcrafter.app.guard import install

install()  # before any class of ours is made

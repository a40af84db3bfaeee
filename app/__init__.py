"""The desktop application."""

from app.guard import install

install()  # before any class of ours is made

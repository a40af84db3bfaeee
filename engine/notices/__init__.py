"""Notices to people outside: Telegram, mail, Slack and what else apprise knows; and the heartbeat for a monitor."""

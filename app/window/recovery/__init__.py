"""Unsaved work: a swap file for every open strategy, and the offer to restore what an ended process left behind.

| module | what it holds |
| --- | --- |
| `controller` | `RecoveryController`: what the window calls |
| `store` | `Recovery`: the swap files of one session, and what earlier sessions left. No Qt |
| `swap_file` | `SwapFile`: one swap file, and reading what is left of one. No Qt |
| `unsaved_work` | what the dialog shows of each. No Qt |
| `dialog` | `offer_recovery(parent, works) -> RecoveryAnswer by key` |
| `crash_notice` | where the report of a crash and damaged files are |
"""
